/** A run that failed and will be tried again. */
export interface Retry {
  /** When, milliseconds since the epoch. */
  at: number;
  /** Which attempt that will be: 2 is the first again. */
  attempt: number;
  /** What it failed with. */
  cause: string;
}

const first = 30_000;
const longest = 15 * 60_000;

/**
 * When a run is tried again that has just failed for the `attempt`th time: after half a minute, a minute, two, and so on to a
 * quarter of an hour, a tenth more or less, so that hosts do not all come back at once. Undefined when its next time comes
 * first.
 */
export function retryAt(
  now: number,
  attempt: number,
  due: number,
  random = Math.random(),
): number | undefined {
  const pause = Math.min(first * 2 ** (attempt - 1), longest) * (0.9 + 0.2 * random);
  const at = Math.round(now + pause);
  return at < due ? at : undefined;
}
