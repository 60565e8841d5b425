import { createTask, parse, type ParsedFields } from 'node-cron';

const second = 1000;
const day = 86_400 * second;
const firstDay = Date.UTC(2026, 0, 1);
/** Holds two leap days, so that every date is seen: 2028-02-29 and 2032-02-29. */
const days = 3000;

/**
 * The longest time between two runs of a valid cron expression, in milliseconds, leaving clock changes aside.
 * The same answer on every day: it looks at fixed years.
 */
export function largestGap(cron: string): number {
  const fields = parse(cron);
  const times = timesOfDay(fields);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? first;
  let gap = largestStep(times);
  // Nearly every schedule; looking through the days takes some 50 ms.
  if (runsDaily(fields)) return Math.max(gap, first + day - last);
  let previous: number | undefined;
  for (const start of matchingDays(cron, first)) {
    if (previous !== undefined) gap = Math.max(gap, start + first - (previous + last));
    previous = start;
  }
  return gap;
}

function* matchingDays(cron: string, time: number): Generator<number> {
  // A task that is never started: only its matcher is used.
  const task = createTask(cron, () => {}, { timezone: 'UTC' });
  try {
    for (let index = 0; index < days; index += 1) {
      const start = firstDay + index * day;
      if (task.match(new Date(start + time))) yield start;
    }
  } finally {
    void task.destroy();
  }
}

function runsDaily({ dayOfMonth, month, dayOfWeek }: ParsedFields): boolean {
  return dayOfMonth.length === 31 && month.length === 12 && dayOfWeek.length === 7;
}

/** Milliseconds after midnight, ascending. */
function timesOfDay({ hour, minute, second: seconds }: ParsedFields): number[] {
  return hour.flatMap((h) => minute.flatMap((m) => seconds.map((s) => ((h * 60 + m) * 60 + s) * second)));
}

function largestStep(times: number[]): number {
  let largest = 0;
  for (let index = 1; index < times.length; index += 1)
    largest = Math.max(largest, (times[index] ?? 0) - (times[index - 1] ?? 0));
  return largest;
}
