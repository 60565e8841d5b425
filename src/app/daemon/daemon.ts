import { AgentError, messageOf } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { backupIdTime, isAhead } from '../../backup/id.ts';
import { checkAofJob } from '../../jobs/aof/check-aof.ts';
import { drillJob } from '../../jobs/drill/drill.ts';
import { verifyJob } from '../../jobs/prove/verify.ts';
import { watchBackupsJob } from '../../jobs/backup/watch-backups.ts';
import { localTimezone } from '../../lib/timezone.ts';
import { forgetEpisodes } from '../../state/episodes.ts';
import { forgetRuns, lastRun } from '../../state/runs.ts';
import { runBackupCycle } from '../run/backup-cycle.ts';
import type { App } from '../build-app.ts';
import type { Notifier } from './notify.ts';
import { recoverRestore } from '../run/recover-restore.ts';
import { startScheduler, type Schedule } from './scheduler.ts';

export interface DaemonOptions {
  /** Builds the app anew for a reload; all that can fail happens in here, before the running one is touched. */
  build(): Promise<App>;
  notifier: Notifier;
  /** First stop request: drain. */
  stop: AbortSignal;
  /** Second one: cut short what still runs. */
  cut: AbortSignal;
  /** How long runs under way may take to end after the first, milliseconds. */
  drain: number;
  /** Calls back when a reload is asked for; returns how to stop listening. */
  onReload(callback: () => void): () => void;
}

const silent = { report(): void {} };
/**
 * How long a run waits for one that holds its lock: a backup for a drill or a restore, a drill for a backup. What came
 * due is late then, and not left out.
 */
const patience = 60 * 60 * 1000;
/** History is kept this long. */
const historyMs = 400 * 24 * 60 * 60 * 1000;

/** The daemon: runs schedules until it is told to stop. Resolves when everything has ended. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { notifier, stop } = options;
  // From the first moment: an unheard SIGHUP ends a process.
  let reloading = Promise.resolve();
  let started = false;
  const stopReloads = options.onReload(() => {
    if (started) reloading = reloading.then(reload);
  });
  let app = await options.build();
  openHistory(app);
  let scheduler = startScheduler(await schedulesOf(app), app);
  started = true;
  const watchdog = keepWatchdog(notifier);

  async function reload(): Promise<void> {
    if (stop.aborted) return;
    notifier.reloading();
    try {
      const next = await options.build();
      try {
        openHistory(next);
      } catch (error) {
        await next.close();
        throw error;
      }
      await scheduler.stop(AbortSignal.any([options.cut, deadline(options.drain)]));
      await app.close();
      app = next;
      if (stop.aborted) return;
      // Looks at the repository only now: what has just ended is not due any longer.
      scheduler = startScheduler(await schedulesOf(app), app);
      app.log.info({ config: app.configPath }, 'configuration reloaded');
    } catch (error) {
      app.log.error({ cause: messageOf(error) }, 'reload refused: going on with the configuration as it was');
    }
    notifier.ready();
  }

  app.log.info(
    { config: app.configPath, instances: app.settings.instances.map(({ name }) => name) },
    'started',
  );
  notifier.ready();
  await aborted(stop);
  app.log.info({}, 'stopping: waiting for runs under way');
  notifier.stopping();
  stopReloads();
  await reloading;
  await scheduler.stop(AbortSignal.any([options.cut, deadline(options.drain)]));
  await app.close();
  clearInterval(watchdog);
}

/** All that can fail at a start. */
function openHistory(app: App): void {
  trimHistory(app);
}

/** Drops what is older than history is kept. */
function trimHistory(app: App): void {
  const before = app.clock.now() - historyMs;
  const state = app.state();
  forgetRuns(state, before);
  forgetEpisodes(state, before);
}

async function schedulesOf(app: App): Promise<Schedule[]> {
  const all = await Promise.all(app.settings.instances.map((instance) => schedulesFor(app, instance)));
  const trim: Schedule = {
    name: 'trim-history',
    expression: '47 3 * * *',
    timezone: app.settings.timezone ?? localTimezone(),
    jitter: 0,
    lastRun: undefined,
    run: async () => trimHistory(app),
  };
  return [...all.flat(), trim];
}

/** What comes round for one instance. */
async function schedulesFor(app: App, instance: InstanceSettings): Promise<Schedule[]> {
  const { settings, clock } = app;
  const timezone = settings.timezone ?? localTimezone();
  const common = { timezone, jitter: settings.backup.jitter };
  const newest = await newestBackup(app, instance);
  const schedules: Schedule[] = [
    {
      ...common,
      name: `${instance.name}: recover-restore`,
      expression: '*/5 * * * *',
      jitter: 0,
      lastRun: 'never',
      run: (signal) => recoverRestore(app, instance, { signal, progress: silent }),
    },
    {
      ...common,
      name: `${instance.name}: watch-backups`,
      expression: '*/5 * * * *',
      jitter: 0,
      // At once, except where the first backup is about to be taken: that there is none is no news then.
      lastRun: newest === 'never' && settings.backup.schedule !== null ? undefined : 'never',
      run: async (signal) =>
        void (await app.run(watchBackupsJob, instance, {}, { signal, progress: silent })),
    },
  ];
  if (settings.backup.schedule !== null)
    schedules.push({
      ...common,
      name: `${instance.name}: backup`,
      expression: settings.backup.schedule,
      lastRun: newest,
      run: async (signal) => {
        const options = {
          kind: 'rdb' as const,
          verify: settings.verify.after_backup,
          prune: true,
          skipPreflight: false,
          takeOver: false,
        };
        await runBackupCycle(app, instance, options, { signal, progress: silent, patience });
      },
    });
  if (settings.verify.schedule !== null)
    schedules.push({
      ...common,
      name: `${instance.name}: verify`,
      expression: settings.verify.schedule,
      lastRun: lastRun(app.state(), instance.name, verifyJob.name, 'ok')?.started_at ?? clock.now(),
      run: async (signal) =>
        void (await app.run(
          verifyJob,
          instance,
          { which: 'all', depth: 'checked' },
          { signal, progress: silent },
        )),
    });
  if (settings.drill.schedule !== null)
    schedules.push({
      ...common,
      name: `${instance.name}: drill`,
      expression: settings.drill.schedule,
      lastRun: lastRun(app.state(), instance.name, drillJob.name, 'ok')?.started_at ?? clock.now(),
      run: async (signal) =>
        void (await app.run(
          drillJob,
          instance,
          { which: 'latest', allow: [] },
          { signal, progress: silent, patience },
        )),
    });
  if (settings.aof.schedule !== null)
    schedules.push({
      ...common,
      name: `${instance.name}: check-aof`,
      expression: settings.aof.schedule,
      lastRun: lastRun(app.state(), instance.name, checkAofJob.name, 'ok')?.started_at ?? clock.now(),
      run: async (signal) =>
        void (await app.run(
          checkAofJob,
          instance,
          { depth: 'quick', load: false, fixTo: undefined },
          { signal, progress: silent },
        )),
    });
  return schedules;
}

/** From the repository, which is the truth; from our own history while that cannot be reached. Milliseconds. */
async function newestBackup(app: App, instance: InstanceSettings): Promise<number | 'never' | undefined> {
  try {
    const repository = await app.repository(instance);
    const { backups } = await repository.list(AbortSignal.timeout(60_000));
    const now = app.clock.now();
    const newest = backups.findLast(({ state, id }) => state === 'complete' && !isAhead(id, now));
    return newest === undefined ? 'never' : backupIdTime(newest.id);
  } catch (error) {
    app.log.error({ instance: instance.name, cause: messageOf(error) }, 'cannot list the repository');
    return lastRun(app.state(), instance.name, 'backup', 'ok')?.started_at;
  }
}

function keepWatchdog(notifier: Notifier): NodeJS.Timeout | undefined {
  if (notifier.watchdogInterval === undefined) return undefined;
  return setInterval(() => notifier.watchdog(), notifier.watchdogInterval / 2);
}

function deadline(ms: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new AgentError('interrupted', 'the agent was stopped while this ran')),
    ms,
  );
  timer.unref();
  return controller.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
