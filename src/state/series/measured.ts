import type { Series } from './series.ts';

const hour = 60 * 60 * 1000;

/** Whether a server answered the daemon at any time since then: only who looked can say that nothing was there. */
export function wasMeasured(
  series: Series,
  instance: string,
  { since, now }: { since: number; now: number },
): boolean {
  return series.read(instance, 'memory_used_bytes', { since, until: now + 1, step: hour }).length > 0;
}
