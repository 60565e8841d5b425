// A change of a server in a process of its own that kills itself at one step, or tells every step that it comes to. Reads a
// HardenChild from stdin, writes a line of JSON for each step and one for the result.
import { text } from 'node:stream/consumers';
import { AgentError } from '../../../src/domain/errors.ts';
import { applyHardenJob } from '../../../src/jobs/harden/apply-job.ts';
import { rollbackHardenJob } from '../../../src/jobs/harden/rollback-job.ts';
import { openApp } from '../agent/open-app.ts';
import { endHere } from '../house/end-here.ts';

export interface HardenChild {
  config: string;
  what: 'apply' | 'rollback';
  policy: string;
  restart: boolean;
  /** The step that is not survived. */
  killAt: string | undefined;
}

if (process.argv[1] === import.meta.filename) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by apply-kill.test.ts
  const task = JSON.parse(await text(process.stdin)) as HardenChild;
  const tell = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const app = await openApp({ path: task.config });
  const onStep = (step: string): void => {
    tell({ step });
    if (step === task.killAt) endHere();
  };
  const run = { signal: new AbortController().signal, progress: { report() {} } };
  const instance = app.instance(undefined);
  const { policy, restart } = task;
  const common = { admin: undefined, restart, onStep };
  const done =
    task.what === 'apply'
      ? app.run(applyHardenJob, instance, { ...common, policy, agreed: undefined, allow: [] }, run)
      : app.run(rollbackHardenJob, instance, { ...common, id: undefined, dryRun: false }, run);
  const result = await done.catch((error: unknown) => {
    if (!(error instanceof AgentError)) throw error;
    return { failed: error.message, reason: error.reason };
  });
  tell({ result });
  await app.close();
}
