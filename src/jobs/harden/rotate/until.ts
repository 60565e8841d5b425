import type { Clock } from '../../../domain/clock.ts';

const pause = 200;

/** Asks until it is so. What throws is not so yet; when the time is over it rejects with what `failure` makes of that. */
export async function until(
  holds: () => Promise<boolean>,
  { clock, signal, patience }: { clock: Clock; signal: AbortSignal; patience: number },
  failure: (cause: unknown) => Error,
): Promise<void> {
  const end = clock.monotonic() + patience;
  for (;;) {
    let cause: unknown = 'it took too long';
    try {
      if (await holds()) return;
    } catch (error) {
      signal.throwIfAborted();
      cause = error;
    }
    if (clock.monotonic() > end) throw failure(cause);
    await clock.sleep(pause, signal);
  }
}
