import { getPriority, setPriority } from 'node:os';
import { AgentError, messageOf, type ToldError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Settings } from '../../domain/settings.ts';
import { jobs } from '../../jobs/index.ts';
import type { RunJob } from '../../jobs/job.ts';
import { systemClock } from '../../lib/time/system-clock.ts';
import { buildApp } from '../build-app.ts';
import { ownProgram } from '../own-program.ts';
import { createLogger, type LogLevel } from '../logger.ts';

/** What a child of the daemon is to do: the scheduled job of one instance, by the daemon's own configuration. */
export interface WorkTask {
  settings: Settings;
  configPath: string;
  instance: string;
  job: string;
  level: LogLevel;
  priority: number;
}

/** From the daemon: `stop` aborts the run. */
export type ToWork = WorkTask | 'stop';

/** How it ended. */
export type WorkOutcome = { ok: true } | ({ ok: false; mayPass: boolean } & Omit<ToldError, 'cause'>);

const silent = { report(): void {} };

/**
 * A child of the daemon, in which heavy work is done. It ends with the daemon, however that ends, and is deaf to what ends
 * the daemon's group: the daemon says when a run is to stop.
 */
export async function workForDaemon(): Promise<void> {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  const stop = new AbortController();
  const task = Promise.withResolvers<WorkTask>();
  process.on('message', (message: ToWork) => {
    if (message === 'stop') stop.abort(new AgentError('interrupted', 'the agent was stopped while this ran'));
    else task.resolve(message);
  });
  // What it leaves is what a kill leaves.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  const outcome = await work(await task.promise, stop.signal);
  await new Promise<void>((resolve) => process.send?.(outcome, () => resolve()));
  process.removeAllListeners('disconnect');
  process.disconnect();
}

async function work(
  { settings, configPath: path, instance: name, job: wanted, level, priority }: WorkTask,
  signal: AbortSignal,
): Promise<WorkOutcome> {
  // A daemon that is lower already stays there: the kernel lets nobody up again.
  if (getPriority() < priority) setPriority(priority);
  const secrets: Secret[] = [];
  const clock = systemClock;
  const log = await createLogger({ level, fd: 1, pretty: false, secrets: () => secrets });
  const app = await buildApp({
    configPath: path,
    loaded: { settings, path },
    env: process.env,
    clock,
    log,
    secrets,
    program: ownProgram(),
  });
  const instance = app.instance(name);
  const planned = jobs.find((job) => job.name === wanted)?.schedule?.(settings, instance) ?? undefined;
  try {
    if (planned === undefined) throw new Error(`${wanted} has no schedule`);
    const { patience = 0 } = planned;
    const run: RunJob = (job, options) =>
      app.run(job, instance, options, { signal, progress: silent, patience });
    await planned.start(run);
    return { ok: true };
  } catch (error) {
    const { code = 'failed', hint, reason, holder } = error instanceof AgentError ? error : {};
    return {
      ok: false,
      code,
      message: messageOf(error),
      hint,
      reason,
      holder,
      mayPass: planned?.mayPass?.(error) === true,
    };
  } finally {
    await app.close();
  }
}
