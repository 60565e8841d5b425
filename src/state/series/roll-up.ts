import type { Row } from './columns.ts';

/** How a column of a roll-up came about. Of counters the last value is kept, of gauges three. */
export const parts = { last: 0, min: 1, mean: 2, max: 3 } as const;
export type Part = keyof typeof parts;

/** Column of a metric in a roll-up. */
export const columnOf = (metric: number, part: Part): number => metric * 4 + parts[part];

/** One row for each `step` milliseconds in which there are any, at the beginning of it. */
export function rollUp(rows: readonly Row[], step: number, isCounter: (metric: number) => boolean): Row[] {
  const buckets = new Map<number, Row[]>();
  for (const row of rows) {
    const at = Math.floor(row.at / step) * step;
    const bucket = buckets.get(at);
    if (bucket === undefined) buckets.set(at, [row]);
    else bucket.push(row);
  }
  return [...buckets].map(([at, bucket]) => ({ at, values: summarise(bucket, isCounter) }));
}

function summarise(rows: readonly Row[], isCounter: (metric: number) => boolean): Map<number, number> {
  const seen = new Map<number, { min: number; max: number; sum: number; count: number; last: number }>();
  for (const { values } of rows)
    for (const [metric, value] of values) {
      const sum = seen.get(metric);
      if (sum === undefined) seen.set(metric, { min: value, max: value, sum: value, count: 1, last: value });
      else {
        sum.min = Math.min(sum.min, value);
        sum.max = Math.max(sum.max, value);
        sum.sum += value;
        sum.count += 1;
        sum.last = value;
      }
    }
  const values = new Map<number, number>();
  for (const [metric, { min, max, sum, count, last }] of seen) {
    if (isCounter(metric)) {
      values.set(columnOf(metric, 'last'), last);
      continue;
    }
    values.set(columnOf(metric, 'min'), min);
    values.set(columnOf(metric, 'mean'), sum / count);
    values.set(columnOf(metric, 'max'), max);
  }
  return values;
}
