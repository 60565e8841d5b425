// A rotation in a process of its own that kills itself at one step. Its task comes as JSON on stdin.
import { text } from 'node:stream/consumers';
import { rotatePasswordJob } from '../../../src/jobs/harden/rotate-password-job.ts';
import type { RotateOptions } from '../../../src/jobs/harden/rotate-password.ts';
import { openApp } from '../agent/open-app.ts';
import { endHere } from '../house/end-here.ts';

export interface RotateChild {
  config: string;
  killAt: string;
  moment: 'before' | 'after';
  user: string;
  secretFiles: string[];
  sentinels: string[];
}

if (process.argv[1] === import.meta.filename) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by kill-rotation.ts
  const task = JSON.parse(await text(process.stdin)) as RotateChild;
  const app = await openApp({ path: task.config });
  const options: RotateOptions = {
    ...task,
    admin: undefined,
    own: { username: undefined, password: undefined },
    nodes: [],
    hooks: [],
    byHand: false,
    wait: 0,
    dryRun: false,
    by: 'test',
    onStep(step, moment) {
      if (step === task.killAt && moment === task.moment) endHere();
    },
  };
  const run = { signal: new AbortController().signal, progress: { report() {} } };
  await app.run(rotatePasswordJob, app.instance(undefined), options, run);
  await app.close();
}
