import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { createTask } from 'node-cron';
import { nextMoment } from '../../../src/app/next-moment.ts';

const next = (cron: string, timezone: string, after: string): string | undefined => {
  const at = nextMoment(cron, timezone, Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString().replace(':00.000Z', 'Z');
};

describe('the next moment', () => {
  test.for<[cron: string, timezone: string, after: string, expected: string | undefined]>([
    ['0 8 * * 1', 'UTC', '2026-11-29T10:00:00Z', '2026-11-30T08:00Z'],
    ['0 8 1 */3 *', 'Europe/Berlin', '2026-11-29T10:00:00Z', '2027-01-01T07:00Z'],
    ['0 8 * * 0', 'UTC', '2026-11-29T08:00:00Z', '2026-12-06T08:00Z'],
    ['0 8 * * 7', 'UTC', '2026-11-29T07:00:00Z', '2026-11-29T08:00Z'],
    ['0 0 29 2 *', 'UTC', '2026-03-01T00:00:00Z', '2028-02-29T00:00Z'],
    ['0 9 31 * *', 'UTC', '2026-01-31T10:00:00Z', '2026-03-31T09:00Z'],
    // Clocks go forward at 01:00 UTC: 02:30 is left out, and the first moment after the gap is 03:00.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00Z'],
    // And back: 02:30 comes twice, and the first counts.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30Z'],
    ['0 12 * * *', 'Pacific/Kiritimati', '2026-01-01T00:00:00Z', '2026-01-01T22:00Z'],
  ])('of %s in %s after %s', ([cron, timezone, after, expected]) => {
    expect(next(cron, timezone, after)).toBe(expected);
  });

  test('is one that node-cron takes for a match, and lies after', () => {
    const minutes = fc.constantFrom('0', '7', '*/15', '59');
    const hours = fc.constantFrom('0', '8', '*/6', '23');
    const days = fc.constantFrom('*', '1', '15', '28-31');
    const months = fc.constantFrom('*', '*/3', '2', '12');
    const weekdays = fc.constantFrom('*', '1', '0', '5-6');
    fc.assert(
      fc.property(
        minutes,
        hours,
        days,
        months,
        weekdays,
        fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu'),
        fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2030-01-01') }),
        (minute, hour, day, month, weekday, timezone, after) => {
          const cron = `${minute} ${hour} ${day} ${month} ${weekday}`;
          const at = nextMoment(cron, timezone, after);
          if (at === undefined) return;
          expect(at).toBeGreaterThan(after);
          const task = createTask(cron, () => {}, { timezone });
          expect(task.match(new Date(at))).toBe(true);
          void task.destroy();
        },
      ),
      { numRuns: 60 },
    );
  });
});
