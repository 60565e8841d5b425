import { parse } from 'node-cron';

const minute = 60_000;
const day = 24 * 60 * minute;
/** A 29th of February on a given weekday comes round within 40 years; nobody plans for longer than five. */
const longestSearch = 5 * 366;

/**
 * The first moment of a cron expression after `after` (milliseconds), read in a time zone; undefined where there is none
 * within five years. A moment that a clock set forward leaves out is the first one after the gap.
 */
export function nextMoment(expression: string, timezone: string, after: number): number | undefined {
  const fields = parse(expression);
  const local = localTime(after, timezone);
  let date = Math.floor(local / day) * day;
  for (let days = 0; days < longestSearch; days += 1, date += day) {
    const utc = new Date(date);
    const matches =
      fields.month.includes(utc.getUTCMonth() + 1) &&
      fields.dayOfMonth.includes(utc.getUTCDate()) &&
      fields.dayOfWeek.some((weekday) => Number(weekday) % 7 === utc.getUTCDay());
    if (!matches) continue;
    for (const hour of fields.hour)
      for (const each of fields.minute)
        for (const second of fields.second) {
          const at = epochOf(date + (hour * 60 + each) * minute + second * 1000, timezone);
          if (at > after) return at;
        }
  }
  return undefined;
}

/** What the clock on the wall shows, as if that were UTC. */
function localTime(at: number, timezone: string): number {
  const parts = new Map(
    formatOf(timezone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  return (
    Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) +
    (((at % 1000) + 1000) % 1000)
  );
}

/** When the clock on the wall shows that; of two such moments the first, of none the first after. */
function epochOf(local: number, timezone: string): number {
  const offsets = [local - day, local + day].map((at) => localTime(at, timezone) - at);
  const found = offsets.map((offset) => local - offset).filter((at) => localTime(at, timezone) === local);
  if (found.length > 0) return Math.min(...found);
  let [before, after] = [local - Math.max(...offsets), local - Math.min(...offsets)];
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (localTime(middle, timezone) < local) before = middle;
    else after = middle;
  }
  return after;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timezone, made);
  return made;
}
