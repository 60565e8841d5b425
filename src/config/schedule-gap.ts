import { openCron, type Cron } from '../lib/cron/cron.ts';

const second = 1000;
const day = 86_400 * second;
const firstDay = Date.UTC(2026, 0, 1) / day;
/** Holds two leap days, so that every date is seen: 2028-02-29 and 2032-02-29. */
const days = 3000;

/**
 * The longest time between two runs of a valid cron expression, in milliseconds, leaving clock changes aside.
 * The same answer on every day: it looks at fixed years.
 */
export function largestGap(expression: string): number {
  using cron = openCron(expression);
  const times = timesOfDay(cron);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? first;
  let gap = largestStep(times);
  // Nearly every schedule; looking through the days takes some 50 ms.
  if (cron.daily) return Math.max(gap, first + day - last);
  let previous: number | undefined;
  for (let number = firstDay; number < firstDay + days; number += 1) {
    if (!cron.matchesDay(number)) continue;
    if (previous !== undefined) gap = Math.max(gap, (number - previous) * day + first - last);
    previous = number;
  }
  return gap;
}

/** Milliseconds after midnight, ascending. */
function timesOfDay({ hours, minutes, seconds }: Cron): number[] {
  return hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => ((h * 60 + m) * 60 + s) * second)));
}

function largestStep(times: number[]): number {
  let largest = 0;
  for (let index = 1; index < times.length; index += 1)
    largest = Math.max(largest, (times[index] ?? 0) - (times[index - 1] ?? 0));
  return largest;
}
