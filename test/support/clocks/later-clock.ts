import type { Clock } from '../../../src/domain/clock.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';

/**
 * Stands still until `start`, then goes as the machine's: nothing runs out before what a test waits for has come. Who
 * sleeps is woken all the same, since what asks again and again (does the scratch server listen?) has to get on.
 */
export interface LaterClock extends Clock {
  start(): void;
}

export function laterClock(): LaterClock {
  const since = { now: systemClock.now(), monotonic: systemClock.monotonic() };
  let stood: number | undefined;
  const gone = (): number => (stood === undefined ? 0 : systemClock.monotonic() - since.monotonic - stood);
  return {
    now: () => since.now + gone(),
    monotonic: gone,
    sleep: async (ms, signal) => await systemClock.sleep(ms, signal),
    start() {
      stood ??= systemClock.monotonic() - since.monotonic;
    },
  };
}
