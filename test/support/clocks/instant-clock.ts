import type { Clock } from '../../../src/domain/clock.ts';

/** The machine's time, but waits are over at once; `sleeps` has their milliseconds. */
export function instantClock(sleeps: number[] = []): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      sleeps.push(ms);
    },
  };
}
