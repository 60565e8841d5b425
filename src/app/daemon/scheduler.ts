import { createTask, parse, type ScheduledTask } from 'node-cron';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';

/** Work that comes round. */
export interface Schedule {
  name: string;
  /** cron: five fields, or six with seconds first. */
  expression: string;
  /** IANA zone that the expression is read in. */
  timezone: string;
  /** Largest random delay before a run, milliseconds: hosts installed alike must not all start at once. */
  jitter: number;
  /**
   * When it last ran with success, milliseconds: a run missed since then is caught up with, once, at the start. (What a
   * sleeping host misses later is caught up with when it wakes, whatever this says.)
   * `never` is due at once; undefined is never caught up with.
   */
  lastRun: number | 'never' | undefined;
  run(signal: AbortSignal): Promise<void>;
}

export interface Scheduler {
  /** Starts no more runs, waits for those under way until `cut` aborts, then aborts them and waits for their end. */
  stop(cut: AbortSignal): Promise<void>;
}

/** Starts schedules. A run that is still going when its next one is due makes that one skip. */
export function startScheduler(
  schedules: readonly Schedule[],
  { clock, log }: { clock: Clock; log: Log },
): Scheduler {
  const running = new Map<string, Promise<void>>();
  const abort = new AbortController();
  const idle = new AbortController();

  const start = (schedule: Schedule, jitter: number): void => {
    const { name } = schedule;
    if (running.has(name)) {
      log.warn({ schedule: name }, 'still running: this run is skipped');
      return;
    }
    const work = runOnce(schedule, jitter).finally(() => running.delete(name));
    running.set(name, work);
  };

  async function runOnce(schedule: Schedule, jitter: number): Promise<void> {
    try {
      await clock.sleep(Math.random() * jitter, idle.signal);
    } catch {
      return; // Stopped before it began.
    }
    try {
      await schedule.run(abort.signal);
    } catch (error) {
      // The runner has recorded and logged it as a finding; what never came that far is logged here.
      const locked = error instanceof AgentError && error.code === 'locked';
      const level = locked || abort.signal.aborted ? 'info' : 'error';
      log[level]({ schedule: schedule.name, cause: messageOf(error) }, 'scheduled run did not succeed');
    }
  }

  const startNow = (schedule: Schedule, why: string): void => {
    log.info({ schedule: schedule.name }, why);
    start(schedule, 0);
  };
  const missed = 'catching up with a run that was missed';

  const tasks: ScheduledTask[] = schedules.map((schedule) => {
    const task = createTask(schedule.expression, () => start(schedule, schedule.jitter), {
      timezone: schedule.timezone,
      suppressMissedWarning: true,
    });
    // The host slept, or this process was held up, for more than a second: due now, and once for all that were missed.
    task.on('execution:missed', () => {
      if (!running.has(schedule.name)) startNow(schedule, missed);
    });
    void task.start();
    return task;
  });
  /** node-cron waits for a moment: one that a clock set back has moved away, by a year perhaps, without this. */
  async function followClock(): Promise<void> {
    for (;;) {
      const [wall, elapsed] = [clock.now(), clock.monotonic()];
      await clock.sleep(minute, idle.signal);
      const step = clock.now() - wall - (clock.monotonic() - elapsed);
      if (step > -second) continue;
      log.warn({ seconds: Math.round(step / second) }, 'the clock was set back: schedules count from now');
      for (const task of tasks) {
        await task.stop();
        await task.start();
      }
    }
  }
  // Ends by the abort of `idle`.
  followClock().catch(() => {});
  for (const schedule of schedules)
    if (schedule.lastRun === 'never') startNow(schedule, 'first run: due at once');
    else if (wasMissed(schedule, schedule.lastRun, clock.now())) startNow(schedule, missed);

  return {
    async stop(cut) {
      idle.abort();
      await Promise.all(tasks.map(async (task) => task.destroy()));
      const cutShort = (): void => abort.abort(cut.reason);
      if (cut.aborted) cutShort();
      else cut.addEventListener('abort', cutShort, { once: true });
      await Promise.all(running.values());
      cut.removeEventListener('abort', cutShort);
    },
  };
}

const second = 1000;
const minute = 60 * second;
/** Nothing that comes round is rarer; bounds the search in an expression that never matches. */
const longestGap = 366 * 24 * 60 * minute;

/** Was there a moment of the schedule after `since` and up to `now`? */
export function wasMissed(
  { expression, timezone }: Pick<Schedule, 'expression' | 'timezone'>,
  since: number | undefined,
  now: number,
): boolean {
  if (since === undefined) return false;
  const { second: seconds, minute: minutes } = parse(expression);
  // Asking node-cron costs a conversion to local time. Zones differ from UTC by whole quarters of an hour, so most
  // minutes can be ruled out without.
  const quarters = new Set(minutes.map((value) => value % 15));
  const step = seconds.length === 1 ? minute : second;
  const offset = seconds.length === 1 ? (seconds[0] ?? 0) * second : 0;
  const from = Math.max(since, now - longestGap);
  const task = createTask(expression, () => {}, { timezone });
  try {
    for (let at = Math.floor(from / step) * step + offset; at <= now; at += step) {
      const likely = at > from && quarters.has(Math.floor(at / minute) % 15);
      if (likely && task.match(new Date(at))) return true;
    }
    return false;
  } finally {
    void task.destroy();
  }
}
