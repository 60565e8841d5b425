import * as z from 'zod';
import type { Hours } from '../../domain/settings/alerts.ts';

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const hoursForm = 'write the time of day from and to: "08:00-18:00"';
const windowForm =
  'write days and time of day: "Sun 02:00-04:00", "Mon-Fri 22:00-06:00", "daily 03:00-03:30"';

/** `08:00-18:00`, as minutes after midnight; `22:00-06:00` goes past it. */
export const hours = z.string(hoursForm).transform((value, context): Hours => {
  const parsed = parseHours(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `is no time of day; ${hoursForm}` });
  return z.NEVER;
});

/** `Sun 02:00-04:00`, `Sat,Sun 00:00-24:00`, `Mon-Fri 22:00-06:00`, `daily 03:00-03:30`. */
export const window = z.string(windowForm).transform((value, context): Hours & { days: number[] } => {
  const [, names = '', times = ''] = /^(\S+)\s+(\S+)$/.exec(value.trim()) ?? [];
  const days = parseDays(names.toLowerCase());
  const parsed = parseHours(times);
  if (days !== undefined && parsed !== undefined) return { ...parsed, days };
  context.addIssue({ code: 'custom', message: `is no recurring window; ${windowForm}` });
  return z.NEVER;
});

export function writeHours({ from, to }: Hours): string {
  return `${clock(from)}-${clock(to)}`;
}

export function writeWindow({ days, ...hoursOfDay }: Hours & { days: number[] }): string {
  const names = days.map((day) => (dayNames[day] ?? '').replace(/^./, (letter) => letter.toUpperCase()));
  return `${days.length === 7 ? 'daily' : names.join(',')} ${writeHours(hoursOfDay)}`;
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function parseHours(value: string): Hours | undefined {
  const match = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(value);
  if (match === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  const from = fromHour * 60 + fromMinute;
  const to = toHour * 60 + toMinute;
  if (fromMinute > 59 || toMinute > 59 || from >= 24 * 60 || to > 24 * 60 || from === to) return undefined;
  return { from, to };
}

function parseDays(names: string): number[] | undefined {
  if (names === 'daily') return [0, 1, 2, 3, 4, 5, 6];
  const days = new Set<number>();
  for (const part of names.split(',')) {
    const ends = part.split('-').map((name) => dayNames.indexOf(name.slice(0, 3)));
    const [first = -1, last = first] = ends;
    if (ends.length > 2 || first < 0 || last < 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].toSorted((a, b) => a - b);
}
