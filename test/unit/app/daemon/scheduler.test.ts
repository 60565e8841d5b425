import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startScheduler, wasMissed, type Schedule } from '../../../../src/app/daemon/scheduler.ts';
import type { Clock } from '../../../../src/domain/clock.ts';
import { systemClock } from '../../../../src/lib/system-clock.ts';
import { memoryLog } from '../../../support/memory-log.ts';

const at = (time: string): number => Date.parse(time);
const everySix = { expression: '0 */6 * * *', timezone: 'UTC' };

describe('wasMissed', () => {
  test('a moment of the schedule between the last run and now', () => {
    expect(wasMissed(everySix, at('2026-11-21T06:00:30Z'), at('2026-11-21T11:59:59Z'))).toBe(false);
    expect(wasMissed(everySix, at('2026-11-21T06:00:30Z'), at('2026-11-21T12:00:00Z'))).toBe(true);
    expect(wasMissed(everySix, at('2026-11-01T06:00:30Z'), at('2026-11-21T12:00:00Z'))).toBe(true);
    expect(wasMissed(everySix, undefined, at('2026-11-21T12:00:00Z'))).toBe(false);
  });

  test('is read in its time zone, over a change of daylight saving time', () => {
    const nightly = { expression: '30 3 * * *', timezone: 'Europe/Berlin' };
    // 2026-10-25: 03:30 local is 02:30 UTC, after the hour was repeated.
    expect(wasMissed(nightly, at('2026-10-25T00:00:00Z'), at('2026-10-25T02:29:00Z'))).toBe(false);
    expect(wasMissed(nightly, at('2026-10-25T00:00:00Z'), at('2026-10-25T02:30:00Z'))).toBe(true);
  });

  test('reads seconds where there are six fields', () => {
    const often = { expression: '*/10 * * * * *', timezone: 'UTC' };
    expect(wasMissed(often, at('2026-11-21T06:00:01Z'), at('2026-11-21T06:00:09Z'))).toBe(false);
    expect(wasMissed(often, at('2026-11-21T06:00:01Z'), at('2026-11-21T06:00:10Z'))).toBe(true);
  });

  test('an expression that hardly ever comes round ends the search', () => {
    const leapDay = { expression: '0 0 29 2 *', timezone: 'UTC' };
    expect(wasMissed(leapDay, 0, at('2026-11-21T00:00:00Z'))).toBe(false);
  });
});

describe('startScheduler', () => {
  function schedule(run: Schedule['run'], lastRun: Schedule['lastRun'] = 'never'): Schedule {
    return { name: 'test', expression: '* * * * * *', timezone: 'UTC', jitter: 0, lastRun, run };
  }

  test('catches up once, and does not overlap', async () => {
    const log = memoryLog();
    let running = 0;
    let most = 0;
    let runs = 0;
    const finished = Promise.withResolvers<void>();
    const stop = new AbortController();
    const scheduler = startScheduler(
      [
        schedule(async () => {
          running += 1;
          runs += 1;
          most = Math.max(most, running);
          // Longer than the schedule's second: the next one finds it still running.
          if (runs === 1) await systemClock.sleep(2200);
          else finished.resolve();
          running -= 1;
        }, Date.now() - 60_000),
      ],
      { clock: systemClock, log },
    );
    await finished.promise;
    await scheduler.stop(stop.signal);
    expect(most).toBe(1);
    expect(log.entries.filter(({ message }) => message.startsWith('catching up'))).toHaveLength(1);
    expect(log.entries.filter(({ message }) => message.startsWith('first run'))).toEqual([]);
    expect(log.entries.some(({ message }) => message.startsWith('still running'))).toBe(true);
  });

  test('goes on when the clock is set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 400 * 24 * 60 * 60 * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    const looked = Promise.withResolvers<void>();
    const ran = Promise.withResolvers<void>();
    // Looks at the clock much more often.
    const clock: Clock = {
      ...systemClock,
      async sleep(ms, signal) {
        await systemClock.sleep(Math.min(ms, 10), signal);
        looked.resolve();
      },
    };
    const log = memoryLog();
    const scheduler = startScheduler([schedule(async () => ran.resolve(), Date.now())], { clock, log });
    await looked.promise;
    vi.useRealTimers();
    await ran.promise;
    await scheduler.stop(new AbortController().signal);
    expect(log.entries.filter(({ message }) => message.startsWith('the clock was set back'))).toHaveLength(1);
  });

  test('stopping waits for a run, and cuts it short when told to', async () => {
    const cut = new AbortController();
    const started = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const scheduler = startScheduler(
      [
        schedule(async (signal) => {
          started.resolve();
          await systemClock.sleep(60_000, signal).catch((reason: unknown) => seen.push(reason));
        }),
      ],
      { clock: systemClock, log: memoryLog() },
    );
    await started.promise;
    const stopped = scheduler.stop(cut.signal);
    const reason = new Error('cut');
    cut.abort(reason);
    await stopped;
    expect(seen).toEqual([reason]);
  });

  test('a run that fails is logged and does not stop the next', async () => {
    const log = memoryLog();
    const twice = Promise.withResolvers<void>();
    let runs = 0;
    const scheduler = startScheduler(
      [
        schedule(() => {
          runs += 1;
          if (runs === 2) twice.resolve();
          return Promise.reject(new Error('no'));
        }),
      ],
      { clock: systemClock, log },
    );
    await twice.promise;
    await scheduler.stop(AbortSignal.abort());
    expect(log.entries.filter(({ level }) => level === 'error').length).toBeGreaterThanOrEqual(2);
  });
});
