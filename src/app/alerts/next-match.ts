import { createTask, parse } from 'node-cron';

const second = 1000;
const minute = 60 * second;
/** Nothing that comes round is rarer; bounds the search in an expression that never matches. */
const longestGap = 366 * 24 * 60 * minute;

/** The first moment of a cron expression after `at`, milliseconds since the epoch; null when there is none within a year. */
export function nextMatch(expression: string, timezone: string, at: number): number | null {
  const { second: seconds, minute: minutes } = parse(expression);
  // Asking node-cron costs a conversion to local time; zones differ from UTC by whole quarters of an hour.
  const quarters = new Set(minutes.map((value) => value % 15));
  const step = seconds.length === 1 ? minute : second;
  const offset = seconds.length === 1 ? (seconds[0] ?? 0) * second : 0;
  const task = createTask(expression, () => {}, { timezone });
  try {
    for (let next = Math.floor(at / step) * step + offset; next <= at + longestGap; next += step)
      if (next > at && quarters.has(Math.floor(next / minute) % 15) && task.match(new Date(next)))
        return next;
    return null;
  } finally {
    void task.destroy();
  }
}
