import { isCounter } from '../../domain/metrics.ts';
import type { Point, Series } from '../../state/series/series.ts';

export interface TrendPoint {
  /** Milliseconds since the epoch. */
  at: number;
  /** Of a counter how much it grew a second. */
  value: number;
  min: number;
  max: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** As finely as a person or a chart can use: about a thousand points. */
function stepFor(span: number): number {
  if (span <= 6 * hour) return 0;
  return span <= 4 * day ? 5 * minute : hour;
}

/** What was measured since then; counters as growth a second, without the stretches in which nothing was seen. */
export function readTrend(
  series: Series,
  instance: string,
  metric: string,
  { since, until }: { since: number; until: number },
): TrendPoint[] {
  const step = stepFor(until - since);
  const points = series.read(instance, metric, { since, until, step });
  return isCounter(metric)
    ? ratesOf(points, step)
    : points.map(({ at, mean, min, max }) => ({ at, value: mean, min, max }));
}

/** How much a counter grew within a span, across gaps too; null where it was not seen twice. */
export function readGrowth(
  series: Series,
  subject: string,
  metric: string,
  { since, until }: { since: number; until: number },
): number | null {
  const points = series.read(subject, metric, { since, until, step: stepFor(until - since) });
  if (points.length < 2) return null;
  return points.reduce((sum, { mean }, index) => {
    const before = points[index - 1]?.mean;
    if (before === undefined) return sum;
    return sum + (mean >= before ? mean - before : mean);
  }, 0);
}

/** A counter that went back has begun at 0. Across a gap there is no rate: nobody knows when it grew. */
export function ratesOf(points: readonly Point[], step: number): TrendPoint[] {
  const widest = 4 * Math.max(step, minute);
  const rates: TrendPoint[] = [];
  for (const [index, { at, mean }] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined || at - before.at > widest || at <= before.at) continue;
    const value = ((mean >= before.mean ? mean - before.mean : mean) * 1000) / (at - before.at);
    rates.push({ at, value, min: value, max: value });
  }
  return rates;
}

/** The mean of what lies in each of `columns` equal stretches of time; undefined for a stretch without any. */
export function intoColumns(
  points: readonly { at: number; value: number }[],
  { since, until, columns }: { since: number; until: number; columns: number },
): (number | undefined)[] {
  const width = (until - since) / columns;
  const sums = Array.from({ length: columns }, () => ({ sum: 0, count: 0 }));
  for (const { at, value } of points) {
    const place = sums[Math.min(columns - 1, Math.floor((at - since) / width))];
    if (place === undefined || at < since) continue;
    place.sum += value;
    place.count += 1;
  }
  return sums.map(({ sum, count }) => (count === 0 ? undefined : sum / count));
}
