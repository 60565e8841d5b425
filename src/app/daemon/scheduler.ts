import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';
import { nextRun } from '../../lib/cron/next-run.ts';
import { retryAt, type Retry } from './retry.ts';

/** Work that comes round. */
export interface Schedule {
  /** What comes round under the same name never overlaps, over a reload too. */
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
  /** Did it fail for a reason that may pass by itself? Then it is tried again before its next time. Never when left out. */
  mayPass?: (error: unknown) => boolean;
  /** Told when it is to be tried again; undefined when that is over. */
  onRetry?: (retry: Retry | undefined) => void;
}

export interface Scheduler {
  /** Goes on with other schedules. What runs is left alone; resolves when the last run that had begun until now has ended. */
  replace(schedules: readonly Schedule[], log: Log): Promise<void>;
  /** Starts no more runs, waits for those under way until `cut` aborts, then aborts them and waits for their end. */
  stop(cut: AbortSignal): Promise<void>;
}

interface Entry {
  schedule: Schedule;
  /** Its next moment; Infinity: there is none. */
  due: number;
  /** When the run that was due begins, after its delay, or again; undefined: none is waiting. */
  start: number | undefined;
  /** How often it was tried since it was due. */
  attempts: number;
}

const second = 1000;
/** The loop looks at the clock at least that often: it may have been set, or the host have slept. */
const longestSleep = 60 * second;
/** What begins later than that after its moment was missed: the host slept, or was held up. */
const late = second;
const missed = 'catching up with a run that was missed';

/** Starts schedules: one loop on the clock. A run that is still going when its next one is due makes that one skip. */
export function startScheduler(
  schedules: readonly Schedule[],
  { clock, log: firstLog }: { clock: Clock; log: Log },
): Scheduler {
  let log = firstLog;
  let entries: Entry[] = [];
  const running = new Map<string, Promise<void>>();
  const abort = new AbortController();
  const stopped = new AbortController();
  /** Ends the loop's sleep: there is something new to wait for. */
  let bell = new AbortController();

  function enter(schedule: Schedule, former: Entry | undefined): Entry {
    const now = clock.now();
    const { expression, timezone, name, lastRun } = schedule;
    const due = nextRun(expression, timezone, now) ?? Infinity;
    const entry: Entry = { schedule, due, start: former?.start, attempts: former?.attempts ?? 0 };
    if (running.has(name) || entry.start !== undefined || lastRun === undefined) return entry;
    if (lastRun !== 'never' && (nextRun(expression, timezone, lastRun) ?? Infinity) > now) return entry;
    log.info({ schedule: name }, lastRun === 'never' ? 'first run: due at once' : missed);
    return { ...entry, start: now };
  }

  function enterAll(all: readonly Schedule[]): void {
    const former = new Map(entries.map((entry) => [entry.schedule.name, entry]));
    entries = all.map((schedule) => enter(schedule, former.get(schedule.name)));
    bell.abort();
  }

  /** Its moment has come. */
  function arrive(entry: Entry, now: number): void {
    const { name, expression, timezone, jitter } = entry.schedule;
    const isLate = now - entry.due > late;
    entry.due = nextRun(expression, timezone, now) ?? Infinity;
    if (running.has(name)) {
      log.warn({ schedule: name }, 'still running: this run is skipped');
      return;
    }
    entry.attempts = 0;
    if (isLate) log.info({ schedule: name }, missed);
    entry.start = isLate ? now : now + Math.random() * jitter;
  }

  function begin(entry: Entry): void {
    entry.start = undefined;
    entry.attempts += 1;
    const { schedule, attempts } = entry;
    const work = runOnce(schedule, attempts).finally(() => running.delete(schedule.name));
    running.set(schedule.name, work);
  }

  async function runOnce(schedule: Schedule, attempt: number): Promise<void> {
    try {
      await schedule.run(abort.signal);
      if (attempt > 1) schedule.onRetry?.(undefined);
    } catch (error) {
      // The runner has recorded and logged it as a finding; what never came that far is logged here.
      const locked = error instanceof AgentError && error.code === 'locked';
      const level = locked || abort.signal.aborted ? 'info' : 'error';
      log[level]({ schedule: schedule.name, cause: messageOf(error) }, 'scheduled run did not succeed');
      if (!abort.signal.aborted) tryAgain(schedule.name, attempt, error);
    }
  }

  function tryAgain(name: string, attempt: number, error: unknown): void {
    const entry = entries.find(({ schedule }) => schedule.name === name);
    if (entry === undefined) return;
    const { mayPass, onRetry } = entry.schedule;
    const at = mayPass?.(error) === true ? retryAt(clock.now(), attempt, entry.due) : undefined;
    if (at === undefined) {
      if (attempt > 1) onRetry?.(undefined);
      return;
    }
    entry.start = at;
    const retry = { at, attempt: attempt + 1, cause: messageOf(error) };
    log.warn(
      { schedule: name, attempt: retry.attempt, at: new Date(at).toISOString() },
      'that may pass: it will be tried again',
    );
    onRetry?.(retry);
    bell.abort();
  }

  /** Waits until something is due. Says by how much the clock was set back meanwhile. */
  async function wait(): Promise<number> {
    const [wall, elapsed] = [clock.now(), clock.monotonic()];
    const next = Math.min(...entries.flatMap(({ due, start = Infinity }) => [due, start]));
    bell = new AbortController();
    const woken = AbortSignal.any([stopped.signal, bell.signal]);
    await clock.sleep(Math.min(Math.max(next - wall, 0), longestSleep), woken).catch(() => {
      stopped.signal.throwIfAborted();
    });
    return clock.now() - wall - (clock.monotonic() - elapsed);
  }

  /** What waits for a moment would wait for one that has moved away, by a year perhaps. */
  function countAnew(step: number): void {
    log.warn({ seconds: Math.round(step / second) }, 'the clock was set back: schedules count from now');
    for (const entry of entries) {
      const { expression, timezone } = entry.schedule;
      entry.due = nextRun(expression, timezone, clock.now()) ?? Infinity;
      if (entry.start !== undefined) entry.start += step;
    }
  }

  async function loop(): Promise<void> {
    for (;;) {
      const step = await wait();
      if (step < -second) countAnew(step);
      const now = clock.now();
      for (const entry of entries) {
        if (entry.due <= now) arrive(entry, now);
        if (entry.start !== undefined && entry.start <= now && !running.has(entry.schedule.name))
          begin(entry);
      }
    }
  }

  enterAll(schedules);
  loop().catch((error: unknown) => {
    // A daemon that does nothing any more has to end, and be started again.
    if (!stopped.signal.aborted) throw error;
  });

  return {
    async replace(next, nextLog) {
      log = nextLog;
      const before = [...running.values()];
      enterAll(next);
      await Promise.all(before);
    },
    async stop(cut) {
      stopped.abort();
      const cutShort = (): void => abort.abort(cut.reason);
      if (cut.aborted) cutShort();
      else cut.addEventListener('abort', cutShort, { once: true });
      await Promise.all(running.values());
      cut.removeEventListener('abort', cutShort);
    },
  };
}
