// A restore in a process of its own that kills itself at one step, or tells every step that it comes to. Reads a
// RestoreChild from stdin, writes a line of JSON for each step and one for the result.
import { spawn, type ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { handsCommand } from '../../../src/app/hands/command.ts';
import { workInFolder } from '../../../src/app/hands/work.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { planRestoreJob } from '../../../src/jobs/restore/plan-restore-job.ts';
import { restoreJob } from '../../../src/jobs/restore/restore-job.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { openApp } from '../agent/open-app.ts';
import { endHere } from '../house/end-here.ts';
import { serverUser } from '../servers/server-user.ts';

export interface RestoreChild {
  config: string;
  undo: boolean;
  /** The step, or the move of files, that is not survived. */
  killAt: string | undefined;
  /** Of what lies somewhere, instead of the newest backup. */
  path?: string;
  startAt?: StartAt;
}

/** Somebody else starts the server at that step: it has loaded its data, or has given up, when the step goes on. */
export interface StartAt {
  step: string;
  command: string[];
  url: string;
  /** It loads until this later step, if it lives so long: `step` goes on when it is in its folder. */
  loadedAt?: string;
}

function startServer({ command: [program = '', ...args] }: StartAt): ChildProcess {
  const server = spawn(program, args, { cwd: '/', detached: true, stdio: 'ignore', ...serverUser });
  server.unref();
  return server;
}

const ended = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

async function untilInFolder(server: ChildProcess): Promise<void> {
  const folder = (): string => {
    try {
      return readlinkSync(`/proc/${server.pid}/cwd`);
    } catch {
      // It has ended, and we have not been told yet.
      return '';
    }
  };
  while (!ended(server) && folder() === '/') await delay(10);
}

async function untilLoaded(server: ChildProcess, url: string): Promise<void> {
  while (!ended(server)) {
    const info = await ask(url).catch(() => '');
    // Not `async_loading:0`.
    if (/^loading:0/m.test(info)) return;
    await delay(10);
  }
}

async function ask(url: string): Promise<string> {
  const connection = await connectRedis({ name: 'test', url });
  try {
    return String(await connection.call('INFO', 'persistence'));
  } finally {
    connection.close();
  }
}

if (process.argv[1] === import.meta.filename && process.argv[2] === handsCommand)
  await workInFolder(process.argv[3] ?? '');

if (process.argv[1] === import.meta.filename) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by kill-restore.ts
  const task = JSON.parse(await text(process.stdin)) as RestoreChild;
  const tell = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const app = await openApp({ path: task.config });
  let other: ChildProcess | undefined;
  const startOther = async (step: string, { startAt } = task): Promise<void> => {
    if (startAt === undefined) return;
    const { loadedAt = startAt.step, url } = startAt;
    if (step === startAt.step) await untilInFolder((other = startServer(startAt)));
    if (step === loadedAt && other !== undefined) await untilLoaded(other, url);
  };
  const options = {
    which: 'latest',
    undo: task.undo,
    dryRun: false,
    allow: [],
    async onStep(step: string) {
      tell({ step });
      if (step === task.killAt) endHere();
      await startOther(step);
    },
  };
  const run = { signal: new AbortController().signal, progress: { report() {} } };
  const instance = app.instance(undefined);
  const planned =
    task.path === undefined
      ? undefined
      : await app.run(
          planRestoreJob,
          instance,
          { which: task.path, method: 'files', preBackup: false, allow: [] },
          run,
        );
  const local = planned?.local;
  const what = local === undefined ? options : { ...options, which: local.manifest.id, local };
  const result = await app.run(restoreJob, instance, what, run).catch((error: unknown) => {
    if (!(error instanceof AgentError)) throw error;
    return { failed: error.message, reason: error.reason };
  });
  tell({ result });
  await app.close();
}
