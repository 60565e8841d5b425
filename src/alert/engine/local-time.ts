import type { Hours, WindowSettings } from '../../domain/settings/alerts.ts';

/** A moment as a clock on the wall shows it. */
export interface WallTime {
  /** 0 is Sunday. */
  day: number;
  /** After midnight. */
  minute: number;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const formats = new Map<string, Intl.DateTimeFormat>();

/** The last answer: thousands of alerts ask for the same moment. */
let asked: { at: number; timezone: string; answer: WallTime } | undefined;

function wallTime(at: number, timezone: string): WallTime {
  if (asked?.at === at && asked.timezone === timezone) return asked.answer;
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timezone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const answer = {
    day: days.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
  asked = { at, timezone, answer };
  return answer;
}

/** Is it within the hours? From the first minute to before the last one; equal ends are the whole day. */
export function isWithinHours({ from, to }: Hours, at: number, timezone: string): boolean {
  const { minute } = wallTime(at, timezone);
  if (from === to) return true;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Is a recurring window open? One that goes past midnight belongs to the day on which it began. */
export function isWindowOpen(window: WindowSettings, at: number, timezone: string): boolean {
  const { from, to } = window;
  const { day, minute } = wallTime(at, window.timezone ?? timezone);
  const began = (then: number): boolean => window.days.includes(then);
  if (from < to) return began(day) && minute >= from && minute < to;
  return (began(day) && minute >= from) || (began((day + 6) % 7) && minute < to);
}
