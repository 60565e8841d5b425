import type { Clock } from '../../src/domain/clock.ts';
import { systemClock } from '../../src/lib/system-clock.ts';

/** Stands still until `start`, then goes as the machine's: nothing runs out before what a test waits for has come. */
export interface LaterClock extends Clock {
  start(): void;
}

export function laterClock(): LaterClock {
  const begun = Promise.withResolvers<void>();
  const since = { now: systemClock.now(), monotonic: systemClock.monotonic() };
  let stood: number | undefined;
  const gone = (): number => (stood === undefined ? 0 : systemClock.monotonic() - since.monotonic - stood);
  return {
    now: () => since.now + gone(),
    monotonic: gone,
    async sleep(ms, signal) {
      const aborted = new Promise<void>((resolve) => {
        if (signal?.aborted === true) resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([begun.promise, aborted]);
      await systemClock.sleep(ms, signal);
    },
    start() {
      stood ??= systemClock.monotonic() - since.monotonic;
      begun.resolve();
    },
  };
}
