import { createTask, parse, validateDetailed, type CronFieldError, type ScheduledTask } from 'node-cron';

const day = 86_400_000;

/** What a cron expression says, apart from any time zone. node-cron reads it; when it is due is worked out here. */
export interface Cron extends Disposable {
  /** Hours, minutes and seconds that match, each ascending. */
  hours: readonly number[];
  minutes: readonly number[];
  seconds: readonly number[];
  /** Does it match on every day? */
  daily: boolean;
  /** Does it match on that day? Days are counted from 1970-01-01. */
  matchesDay(number: number): boolean;
}

/** Of a valid expression: five fields, or six with seconds first. */
export function openCron(expression: string): Cron {
  const { hour, minute, second, dayOfMonth, month, dayOfWeek } = parse(expression);
  const [months, dates, weekdays] = [month, dayOfMonth, dayOfWeek].map(plainNumbers);
  const plain = months !== undefined && dates !== undefined && weekdays !== undefined;
  // Never started: only its matcher is used, which knows `L`, `15W` and `2#3`. Making one takes a few milliseconds.
  let task: ScheduledTask | undefined;
  const first = (((hour[0] ?? 0) * 60 + (minute[0] ?? 0)) * 60 + (second[0] ?? 0)) * 1000;
  return {
    hours: hour,
    minutes: minute,
    seconds: second,
    daily: dayOfMonth.length === 31 && month.length === 12 && dayOfWeek.length === 7,
    matchesDay(number) {
      const date = new Date(number * day + first);
      // All three have to match. Those that are plain numbers are compared here, which takes a hundredth of the time.
      if (months?.has(date.getUTCMonth() + 1) === false) return false;
      if (dates?.has(date.getUTCDate()) === false) return false;
      if (weekdays?.has(date.getUTCDay()) === false) return false;
      if (plain) return true;
      task ??= createTask(expression, () => {}, { timezone: 'UTC' });
      return task.match(date);
    },
    [Symbol.dispose]: () => void task?.destroy(),
  };
}

/** Undefined where `L` or one of its like is among them. */
function plainNumbers(values: readonly unknown[]): Set<unknown> | undefined {
  return values.every((value) => typeof value === 'number') ? new Set(values) : undefined;
}

/** What is wrong with an expression; empty when nothing is. */
export function cronErrors(expression: string): CronFieldError[] {
  const { valid, errors } = validateDetailed(expression);
  return valid ? [] : errors;
}

/** The first time of day at or after `from` and before `to` that matches, in milliseconds after midnight. */
export function firstTimeOfDay(
  { hours, minutes, seconds }: Cron,
  from: number,
  to: number,
): number | undefined {
  const start = Math.ceil(from / 1000);
  const [hour, minute, second] = [Math.floor(start / 3600), Math.floor(start / 60) % 60, start % 60];
  const found = firstAt(hours, hour, (h) =>
    firstAt(minutes, h === hour ? minute : 0, (m) => {
      const s = seconds.find((value) => h !== hour || m !== minute || value >= second);
      return s === undefined ? undefined : ((h * 60 + m) * 60 + s) * 1000;
    }),
  );
  return found === undefined || found >= to ? undefined : found;
}

function firstAt(
  values: readonly number[],
  from: number,
  then: (value: number) => number | undefined,
): number | undefined {
  for (const value of values) {
    const found = value < from ? undefined : then(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
