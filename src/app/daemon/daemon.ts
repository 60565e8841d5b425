import { isDeepStrictEqual } from 'node:util';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import { forgetEpisodes } from '../../state/episodes.ts';
import { dropRetries } from '../../state/retries.ts';
import { forgetRuns } from '../../state/runs.ts';
import { forgetAlertHistory } from '../alerts/forget.ts';
import type { App } from '../build-app.ts';
import { lastReport, sendReport } from '../report/send.ts';
import type { Children } from './children.ts';
import { startDelivery } from './deliver.ts';
import type { Notifier } from './notify.ts';
import { schedulesOf } from './schedules.ts';
import { startScheduler, type Schedule } from './scheduler.ts';
import type { Listener } from './listen.ts';
import { startWatch, type Watch } from './watch.ts';

export interface DaemonOptions {
  /** Builds the app anew for a reload; all that can fail happens in here, before the running one is touched. */
  build(): Promise<App>;
  notifier: Notifier;
  /** Does heavy work in processes of its own; left out, it is done in this one. */
  children?: Children | undefined;
  /** First stop request: drain. */
  stop: AbortSignal;
  /** Second one: cut short what still runs. */
  cut: AbortSignal;
  /** How long runs under way may take to end after the first, milliseconds. */
  drain: number;
  /** Calls back when a reload is asked for; returns how to stop listening. */
  onReload(callback: () => void): () => void;
}

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
  // What an earlier daemon meant to try again is caught up with where it is still due.
  dropRetries(app.state());
  const scheduler = startScheduler(await schedulesFor(app, options.children), app);
  /** Apps of before a reload, while something runs that began with them. */
  const closing = new Set<Promise<void>>();
  let delivery = startDelivery(app);
  started = true;
  const watch = startWatch(app);
  let listener = await listen(app, watch);
  const watchdog = keepWatchdog(notifier, watch);

  async function reload(): Promise<void> {
    if (stop.aborted) return;
    notifier.reloading();
    try {
      const next = await options.build();
      let schedules: Schedule[];
      try {
        openHistory(next);
        schedules = await schedulesFor(next, options.children);
      } catch (error) {
        await next.close();
        throw error;
      }
      try {
        await watch.use(next);
        listener = await listenAgain(listener, app, next, watch);
      } catch (error) {
        await watch.use(app);
        await next.close();
        listener = await listen(app, watch).catch(() => undefined);
        throw error;
      }
      // What runs goes on with what it began with, and keeps that open.
      const former = app;
      app = next;
      await delivery.stop();
      const closed = scheduler.replace(schedules, next.log).then(() => former.close());
      closing.add(closed);
      void closed.finally(() => closing.delete(closed));
      delivery = startDelivery(app);
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
  await delivery.stop();
  await Promise.all(closing);
  await listener?.close();
  await watch.stop();
  await app.close();
  clearInterval(watchdog);
}

/** Where something else is to be listened on, there. */
async function listenAgain(
  before: Listener | undefined,
  app: App,
  next: App,
  watch: Watch,
): Promise<Listener | undefined> {
  if (isDeepStrictEqual(next.settings.listen, app.settings.listen)) {
    before?.use(next);
    return before;
  }
  await before?.close();
  return await listen(next, watch);
}

/** node:http makes Node load its web client too: every other command would wait for that, 0.1 s. */
async function listen(app: App, watch: Watch): Promise<Listener | undefined> {
  if (app.settings.listen === undefined) return undefined;
  const { startListening } = await import('./listen.ts');
  return await startListening(app, watch);
}

/** All that can fail at a start. */
function openHistory(app: App): void {
  trimHistory(app);
}

/** Drops what is older than history is kept. */
function trimHistory(app: App): void {
  const now = app.clock.now();
  const before = now - historyMs;
  const state = app.state();
  forgetRuns(state, before);
  forgetEpisodes(state, before);
  forgetAlertHistory(state, before, now);
}

/** The jobs of the instances, and what the daemon does for itself. */
async function schedulesFor(app: App, children?: Children): Promise<Schedule[]> {
  const trim: Schedule = {
    name: 'trim-history',
    expression: '47 3 * * *',
    timezone: app.settings.timezone ?? localTimezone(),
    jitter: 0,
    lastRun: undefined,
    run: async () => trimHistory(app),
  };
  return [...(await schedulesOf(app, children)), trim, ...reportSchedule(app)];
}

/** Sent once for each of its times, however often the daemon was started since. */
function reportSchedule(app: App): Schedule[] {
  const { report, timezone } = app.settings;
  if (report === undefined || report.schedule === null) return [];
  return [
    {
      name: 'report',
      expression: report.schedule,
      timezone: timezone ?? localTimezone(),
      jitter: 0,
      lastRun: lastReport(app),
      run: (signal) => sendReport(app, signal),
      mayPass: () => true,
    },
  ];
}

/** systemd hears of cycles that were completed, and not of a timer: a loop that hangs lets it restart the daemon. */
function keepWatchdog(notifier: Notifier, watch: Watch): NodeJS.Timeout | undefined {
  if (notifier.watchdogInterval === undefined) return undefined;
  return setInterval(() => {
    if (watch.lagging().length === 0) notifier.watchdog();
  }, notifier.watchdogInterval / 2);
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
