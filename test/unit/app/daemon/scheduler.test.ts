import { describe, expect, test } from 'vitest';
import type { Retry } from '../../../../src/app/daemon/retry.ts';
import { retryAt } from '../../../../src/app/daemon/retry.ts';
import { startScheduler, type Schedule, type Scheduler } from '../../../../src/app/daemon/scheduler.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** A day in the life of a scheduler, which begins at noon. */
function begin(...schedules: Partial<Schedule>[]): {
  clock: ManualClock;
  log: ReturnType<typeof memoryLog>;
  scheduler: Scheduler;
} {
  const [clock, log] = [new ManualClock(), memoryLog()];
  return { clock, log, scheduler: startScheduler(schedules.map(schedule), { clock, log }) };
}

function schedule(given: Partial<Schedule>): Schedule {
  return {
    name: 'test',
    expression: '0 */6 * * *',
    timezone: 'UTC',
    jitter: 0,
    lastRun: undefined,
    run: async () => {},
    ...given,
  };
}

const messages = ({ entries }: ReturnType<typeof memoryLog>): string[] =>
  entries.map(({ message }) => message);

/** Notes the hours since the beginning at which it ran. */
function noting(clock: () => ManualClock, ran: number[]): Schedule['run'] {
  return async () => void ran.push((clock().now() - Date.parse('2026-11-21T12:00:00Z')) / hour);
}

describe('startScheduler', () => {
  test('runs when it is due', async () => {
    const ran: number[] = [];
    const { clock, scheduler } = begin({ run: noting(() => clock, ran) });
    await clock.pass(24 * hour);
    expect(ran).toEqual([6, 12, 18, 24]);
    await scheduler.stop(new AbortController().signal);
    await clock.pass(24 * hour);
    expect(ran).toHaveLength(4);
  });

  test.for<[what: string, lastRun: Schedule['lastRun'], log: string | undefined]>([
    ['one that has never run', 'never', 'first run: due at once'],
    [
      'one whose moment has passed',
      Date.parse('2026-11-21T11:59:00Z'),
      'catching up with a run that was missed',
    ],
    ['and not one that is not due', Date.parse('2026-11-21T12:00:00Z'), undefined],
    ['nor one of which nothing is known', undefined, undefined],
  ])('begins with %s', async ([, lastRun, said]) => {
    let runs = 0;
    const { clock, log, scheduler } = begin({ lastRun, run: async () => void (runs += 1) });
    await clock.pass(second);
    expect({ runs, said: messages(log) }).toEqual(
      said === undefined ? { runs: 0, said: [] } : { runs: 1, said: [said] },
    );
    await scheduler.stop(AbortSignal.abort());
  });

  test('waits a random while, up to the jitter', async () => {
    const ran: number[] = [];
    const { clock, scheduler } = begin({ jitter: hour, run: noting(() => clock, ran) });
    await clock.pass(24 * hour);
    expect(ran.map(Math.floor)).toEqual([6, 12, 18]);
    expect(new Set(ran.map((at) => at % 1)).size).toBe(3);
    await scheduler.stop(AbortSignal.abort());
  });

  test('does not overlap, and says so', async () => {
    let [running, most] = [0, 0];
    const { clock, log, scheduler } = begin({
      async run(signal) {
        running += 1;
        most = Math.max(most, running);
        await clock.sleep(7 * hour, signal);
        running -= 1;
      },
    });
    await clock.pass(24 * hour);
    expect(most).toBe(1);
    expect(messages(log)).toEqual(Array(2).fill('still running: this run is skipped'));
    await scheduler.stop(AbortSignal.abort());
  });

  test('catches up once with what a host that slept has missed', async () => {
    const ran: number[] = [];
    const { clock, log, scheduler } = begin({ jitter: hour, run: noting(() => clock, ran) });
    await clock.pass(hour);
    // While it sleeps, only the clock on the wall goes on.
    clock.set(20 * hour + 1.5 * minute);
    await clock.pass(2 * minute);
    expect(ran).toHaveLength(1);
    expect(messages(log)).toEqual(['catching up with a run that was missed']);
    await scheduler.stop(AbortSignal.abort());
  });

  test('goes on when the clock is set back', async () => {
    let runs = 0;
    const { clock, log, scheduler } = begin({ run: async () => void (runs += 1) });
    await clock.pass(hour);
    clock.set(-400 * 24 * hour);
    await clock.pass(6 * hour);
    expect(runs).toBe(1);
    expect(messages(log)).toEqual(['the clock was set back: schedules count from now']);
    await scheduler.stop(AbortSignal.abort());
  });

  test('stopping waits for a run, and cuts it short when told to', async () => {
    const cut = new AbortController();
    const seen: unknown[] = [];
    const { clock, scheduler } = begin({
      lastRun: 'never',
      run: (signal) => clock.sleep(hour, signal).catch((reason: unknown) => void seen.push(reason)),
    });
    await clock.pass(second);
    const stopped = scheduler.stop(cut.signal);
    const reason = new Error('cut');
    cut.abort(reason);
    await stopped;
    expect(seen).toEqual([reason]);
  });

  test('a run that fails is logged and does not stop the next', async () => {
    let runs = 0;
    const { clock, log, scheduler } = begin({
      run() {
        runs += 1;
        return Promise.reject(new Error('no'));
      },
    });
    await clock.pass(12 * hour);
    expect(runs).toBe(2);
    expect(log.entries).toMatchObject([{ level: 'error', cause: 'no' }, { level: 'error' }]);
    await scheduler.stop(AbortSignal.abort());
  });
});

describe('a failure that may pass', () => {
  test('is tried again, at growing distances, until it succeeds', async () => {
    const ran: number[] = [];
    const told: (Retry | undefined)[] = [];
    const { clock, log, scheduler } = begin({
      mayPass: () => true,
      onRetry: (retry) => told.push(retry),
      async run() {
        ran.push(clock.now());
        if (ran.length < 4) throw new Error('away');
      },
    });
    await clock.pass(11 * hour);
    const waits = ran.slice(1).map((at, index) => at - (ran[index] ?? 0));
    expect(
      waits.map((wait, index) => Math.abs(wait - 30 * second * 2 ** index) <= 3 * second * 2 ** index),
    ).toEqual([true, true, true]);
    expect(told).toMatchObject([
      { attempt: 2, cause: 'away', at: ran[1] },
      { attempt: 3 },
      { attempt: 4 },
      // It is over.
      undefined,
    ]);
    expect(log.entries.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        message: 'that may pass: it will be tried again',
        attempt: 2,
        at: new Date(ran[1] ?? 0).toISOString(),
      },
      { attempt: 3 },
      { attempt: 4 },
    ]);
    await scheduler.stop(AbortSignal.abort());
  });

  test('is tried no more when its next time has come, which begins anew', async () => {
    let attempts: number[] = [];
    const { clock, scheduler } = begin({
      expression: '0 * * * *',
      mayPass: () => true,
      onRetry: (retry) => retry !== undefined && attempts.push(retry.attempt),
      run: () => Promise.reject(new Error('away')),
    });
    await clock.pass(1.99 * hour);
    // After 0.5 + 1 + 2 + 4 + 8 + 15 + 15 minutes; whether there is time for one more is left to chance.
    expect(attempts.slice(0, 7)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(attempts.length).toBeLessThan(9);
    attempts = [];
    await clock.pass(0.05 * hour);
    expect(attempts[0]).toBe(2);
    await scheduler.stop(AbortSignal.abort());
  });

  test('one that does not pass is not', async () => {
    let runs = 0;
    const { clock, scheduler } = begin({
      mayPass: () => false,
      run() {
        runs += 1;
        return Promise.reject(new Error('no'));
      },
    });
    await clock.pass(11 * hour);
    expect(runs).toBe(1);
    await scheduler.stop(AbortSignal.abort());
  });

  test.for<[attempt: number, seconds: number]>([
    [1, 30],
    [2, 60],
    [5, 480],
    [6, 900],
    [60, 900],
  ])('after attempt %d it waits %d s, a tenth more or less', ([attempt, seconds]) => {
    const [least, middle, most] = [0, 0.5, 1].map((random) => retryAt(0, attempt, Infinity, random));
    expect([least, middle, most]).toEqual([seconds * 900, seconds * 1000, seconds * 1100]);
    expect(retryAt(0, attempt, seconds * 1000, 0.5)).toBeUndefined();
  });
});

describe('replace', () => {
  test('leaves alone what runs, which begins under the new schedule only when it has ended', async () => {
    const events: string[] = [];
    const long = (name: string): Partial<Schedule> => ({
      lastRun: 'never',
      async run(signal) {
        events.push(`${name} begins`);
        await clock.sleep(2 * hour, signal);
        events.push(`${name} ends`);
      },
    });
    const { clock, log, scheduler } = begin(long('old'));
    await clock.pass(minute);
    const replaced = scheduler
      .replace([schedule(long('new'))], log)
      .then(() => events.push('all of before ended'));
    await clock.pass(hour);
    expect(events).toEqual(['old begins']);
    await clock.pass(6 * hour);
    await replaced;
    expect(events).toEqual(['old begins', 'old ends', 'all of before ended', 'new begins']);
    await scheduler.stop(AbortSignal.abort());
  });

  test('keeps what waits to be tried again, and drops what is gone', async () => {
    const ran: string[] = [];
    const failing = (name: string, by: string): Partial<Schedule> => ({
      name,
      lastRun: 'never',
      mayPass: () => true,
      run() {
        ran.push(`${name} ${by}`);
        return Promise.reject(new Error('away'));
      },
    });
    const { clock, log, scheduler } = begin(failing('a', 'old'), failing('b', 'old'));
    await clock.pass(second);
    await scheduler.replace([schedule({ ...failing('a', 'new'), lastRun: undefined })], log);
    await clock.pass(40 * second);
    expect(ran).toEqual(['a old', 'b old', 'a new']);
    await scheduler.stop(AbortSignal.abort());
  });
});
