// A process of its own that puts into a store, to be killed or run as another user. Reads a StoreChild from stdin,
// writes a line of JSON per MiB written and one for the result.
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { openFilesystemStore } from '../../../src/backup/store/filesystem.ts';
import { openS3Store } from '../../../src/backup/store/s3.ts';
import type { Store } from '../../../src/backup/store/store.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { patternChunks } from '../data/pattern.ts';

export type StoreSpec =
  | { type: 'filesystem'; root: string }
  | {
      type: 's3';
      endpoint: string;
      bucket: string;
      prefix: string;
      accessKeyId: string;
      secretAccessKey: string;
    };

export interface StoreChild {
  store: StoreSpec;
  key: string;
  bytes: number;
  /** Milliseconds between MiBs, for one that is to be interrupted. */
  pause: number;
}

export async function openStore(spec: StoreSpec): Promise<Store> {
  if (spec.type === 'filesystem') return await openFilesystemStore(spec.root);
  return await openS3Store({
    bucket: spec.bucket,
    prefix: spec.prefix,
    region: 'us-east-1',
    endpoint: spec.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: spec.accessKeyId, secretAccessKey: new Secret(spec.secretAccessKey) },
    clock: systemClock,
  });
}

if (process.argv[1] === import.meta.filename) {
  // RLIMIT_FSIZE would kill the process; as a handled signal the write fails with EFBIG.
  process.on('SIGXFSZ', () => {});
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by run-store-child.ts
  const task = JSON.parse(await text(process.stdin)) as StoreChild;
  let written = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of patternChunks(task.bytes)) {
      yield chunk;
      written += chunk.length;
      process.stdout.write(`${JSON.stringify({ written })}\n`);
      if (task.pause > 0) await delay(task.pause);
    }
  }
  const { signal } = new AbortController();
  const result = await openStore(task.store)
    .then((store) => store.put(task.key, chunks(), { signal }))
    .catch((error: unknown) =>
      error instanceof AgentError
        ? { reason: error.reason, message: error.message, hint: error.hint }
        : { defect: String(error) },
    );
  process.stdout.write(`${JSON.stringify({ result })}\n`);
}
