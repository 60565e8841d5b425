// A restore in a process of its own that kills itself at one step, or tells every step that it comes to. Reads a
// RestoreChild from stdin, writes a line of JSON for each step and one for the result.
import { text } from 'node:stream/consumers';
import { buildApp } from '../../src/app/build-app.ts';
import { AgentError } from '../../src/domain/errors.ts';
import { restoreJob } from '../../src/jobs/restore.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { memoryLog } from './memory-log.ts';

export interface RestoreChild {
  config: string;
  undo: boolean;
  /** The step, or the move of files, that is not survived. */
  killAt: string | undefined;
}

if (process.argv[1] === import.meta.filename) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by kill-restore.ts
  const task = JSON.parse(await text(process.stdin)) as RestoreChild;
  const tell = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const app = await buildApp({
    configPath: task.config,
    env: {},
    clock: systemClock,
    log: memoryLog(),
    secrets: [],
    keepRoot: true,
  });
  const options = {
    which: 'latest',
    undo: task.undo,
    dryRun: false,
    allow: [],
    onStep(step: string) {
      tell({ step });
      if (step === task.killAt) process.kill(process.pid, 'SIGKILL');
    },
  };
  const run = { signal: new AbortController().signal, progress: { report() {} } };
  const result = await app.run(restoreJob, app.instance(undefined), options, run).catch((error: unknown) => {
    if (!(error instanceof AgentError)) throw error;
    return { failed: error.message, reason: error.reason };
  });
  tell({ result });
  await app.close();
}
