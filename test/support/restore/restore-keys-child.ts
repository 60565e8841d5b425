// A restore of keys in a process of its own, which somebody else ends by SIGKILL. Reads a RestoreKeysTask from stdin, and
// writes what became of it, if it comes to that.
import { text } from 'node:stream/consumers';
import { intoTarget } from '../../../src/app/into-target.ts';
import type { ExistingKeys } from '../../../src/backup/restore-keys/writer-options.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { fileSource } from '../../../src/jobs/keys/key-source.ts';
import { restoreKeys } from '../../../src/jobs/keys/restore-keys.ts';
import type { RestoreKeysReport } from '../../../src/jobs/keys/restore-keys-options.ts';

export interface RestoreKeysTask {
  dump: string;
  url: string;
  state: string;
  existing: ExistingKeys;
  /** Milliseconds by which its clock is later at each look: above 2000 the journal is written before every part. */
  tick: number;
}

/** Runs it here. */
export async function runTask({
  dump,
  url,
  state,
  existing,
  tick,
}: RestoreKeysTask): Promise<RestoreKeysReport> {
  let time = 0;
  return await restoreKeys(
    {
      stateDirectory: state,
      clock: { ...systemClock, monotonic: () => (time += tick) },
      signal: new AbortController().signal,
      progress: { report() {} },
    },
    {
      source: await fileSource(dump),
      target: intoTarget(
        { into: url },
        {
          env: {},
          instance: () => {
            throw new Error('there is no configuration');
          },
        },
      ),
      choice: { patterns: ['*'], database: undefined, type: undefined },
      toDatabase: undefined,
      existing,
      dryRun: false,
      restart: false,
      unasked: true,
      agree: async () => true,
    },
  );
}

if (process.argv[1] === import.meta.filename) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by kill-restore-keys.ts
  const task = JSON.parse(await text(process.stdin)) as RestoreKeysTask;
  process.stdout.write(JSON.stringify(await runTask(task)));
}
