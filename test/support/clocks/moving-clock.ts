import type { Clock } from '../../../src/domain/clock.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';

/** The machine's clock, which a test moves on: days go by at once, and what waits for nothing but them wakes. */
export interface MovingClock extends Clock {
  forward(ms: number): void;
}

export function movingClock(): MovingClock {
  let ahead = 0;
  const wake = new Set<() => void>();
  const monotonic = (): number => systemClock.monotonic() + ahead;
  return {
    now: () => systemClock.now() + ahead,
    monotonic,
    async sleep(ms, signal) {
      const end = monotonic() + ms;
      for (let left = ms; left > 0; left = end - monotonic()) {
        const moved = new AbortController();
        const ring = (): void => moved.abort();
        wake.add(ring);
        const signals = signal === undefined ? moved.signal : AbortSignal.any([moved.signal, signal]);
        try {
          await systemClock.sleep(left, signals);
        } catch (error) {
          signal?.throwIfAborted();
          if (!moved.signal.aborted) throw error;
        } finally {
          wake.delete(ring);
        }
      }
      signal?.throwIfAborted();
    },
    forward(ms) {
      ahead += ms;
      for (const ring of wake) ring();
    },
  };
}
