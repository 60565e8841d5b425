import { firstTimeOfDay, openCron, type Cron } from './cron.ts';
import { zoneOf, type Zone } from './zone.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** Every date comes round within: between two leap days there may be eight years. */
const horizon = 9 * 366;

/**
 * The first moment after `after` at which a valid cron expression is due in a time zone, or in the host's own; undefined when it never is
 * (30 February). Milliseconds since the epoch.
 *
 * Where clocks are put forward, what falls into the time that is left out is due at the first moment after it. Where they
 * are put back, what falls into the time that comes twice is due once, the first time. But an expression for every hour
 * means that an hour has passed: it has no more runs in spring, and no fewer in autumn, than hours.
 */
export function nextRun(expression: string, timezone: string | undefined, after: number): number | undefined {
  using cron = openCron(expression);
  const zone = zoneOf(timezone);
  const first = Math.floor((after + zone.offsetAt(after)) / day);
  for (let number = first; number < first + horizon; number += 1) {
    if (!cron.matchesDay(number)) continue;
    for (const stretch of stretchesOf(zone, number)) {
      const found = firstIn(stretch, cron, after);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** A part of a local day, between two times on its clock: milliseconds after midnight. */
type Stretch = { from: number; to: number } & (
  | {
      /** `again`: what the clock shows there it has shown before. */
      kind: 'usual' | 'again';
      /** When the clock would have shown midnight. */
      midnight: number;
    }
  | {
      /** The clock never shows it, and goes on behind it at that moment. */
      kind: 'left-out';
      at: number;
    }
);

function firstIn(stretch: Stretch, cron: Cron, after: number): number | undefined {
  const hourly = cron.hours.length === 24;
  if (stretch.kind === 'left-out') {
    if (hourly || stretch.at <= after) return undefined;
    return firstTimeOfDay(cron, stretch.from, stretch.to) === undefined ? undefined : stretch.at;
  }
  if (stretch.kind === 'again' && !hourly) return undefined;
  const { midnight } = stretch;
  const time = firstTimeOfDay(cron, Math.max(stretch.from, after + 1 - midnight), stretch.to);
  return time === undefined ? undefined : midnight + time;
}

/** A local day, in the order of time. Clocks change at most once in it. */
function stretchesOf(zone: Zone, number: number): Stretch[] {
  const start = number * day;
  // Local days begin up to 14 hours before and 12 hours after those of UTC.
  const change = zone.changeBetween(start - 15 * hour, start + day + 13 * hour);
  if ('offset' in change) return [{ kind: 'usual', from: 0, to: day, midnight: start - change.offset }];
  const { at, before, after } = change;
  const ends = within(at + before - start);
  const goesOn = within(at + after - start);
  return [
    { kind: 'usual', from: 0, to: ends, midnight: start - before },
    { kind: 'left-out', from: ends, to: goesOn, at },
    { kind: 'again', from: goesOn, to: ends, midnight: start - after },
    { kind: 'usual', from: Math.max(ends, goesOn), to: day, midnight: start - after },
  ];
}

function within(time: number): number {
  return Math.min(Math.max(time, 0), day);
}
