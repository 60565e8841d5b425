import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { Due } from '../../../src/domain/task.ts';
import { standingOf } from '../../../src/maintain/calendar.ts';

const day = 24 * 60 * 60 * 1000;
const start = Date.parse('2026-01-01T00:00:00Z');
/** A schedule of every `days` days, whatever the expression says. */
const every =
  (days: number) =>
  (_: string, after: number): number =>
    start + (Math.floor((after - start) / (days * day)) + 1) * days * day;
const weekly: Due = { kind: 'schedule', cron: '0 0 * * 1' };

describe('a scheduled task', () => {
  const at = (days: number, entries: number[] = []) =>
    standingOf(
      weekly,
      { firstSeen: start, entries: entries.map((entry) => start + entry * day) },
      start + days * day,
      every(7),
    );

  test('is first due at the first moment after it was known', () => {
    expect(at(1)).toEqual({ state: 'upcoming', dueAt: start + 7 * day, overdueDays: 0 });
    expect(at(7)).toMatchObject({ state: 'due' });
    expect(at(9)).toMatchObject({ state: 'overdue', overdueDays: 2 });
  });

  test('missed for a year it is due once', () => {
    expect(at(365)).toMatchObject({ dueAt: start + 7 * day, state: 'overdue' });
    expect(at(366, [365])).toMatchObject({ dueAt: start + 371 * day, state: 'upcoming' });
  });

  test('done a little early it is not asked for again at once; long before, it is something else', () => {
    expect(at(8, [6])).toMatchObject({ dueAt: start + 14 * day, state: 'upcoming' });
    expect(at(8, [1])).toMatchObject({ dueAt: start + 7 * day, state: 'overdue' });
  });

  test('whatever was done and when, the next moment lies after the last that counted, and is never doubled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 500 }),
        (days, now) => {
          const entries = days.toSorted((a, b) => a - b);
          const { dueAt } = at(now, entries);
          expect((((dueAt ?? 0) - start) / day) % 7).toBe(0);
          const last = entries.at(-1);
          if (last === undefined) return;
          // Done today: not due again before half a period has passed.
          expect(dueAt).toBeGreaterThan(start + last * day);
          expect((dueAt ?? 0) - (start + last * day)).toBeLessThanOrEqual(10.5 * day);
        },
      ),
    );
  });

  test('a clock that was set back makes nothing overdue', () => {
    expect(at(-30)).toMatchObject({ state: 'upcoming', overdueDays: 0 });
  });
});

describe('a task that counts from its last time', () => {
  const rotation: Due = { kind: 'after', ms: 90 * day };
  const at = (now: number, ...entries: number[]) =>
    standingOf(
      rotation,
      { firstSeen: start, entries: entries.map((entry) => start + entry * day) },
      start + now * day,
      () => undefined,
    );
  test.for<[now: number, state: string]>([
    [0, 'upcoming'],
    [75, 'upcoming'],
    [76, 'soon'],
    [89, 'soon'],
    [90, 'due'],
    [96, 'due'],
    [97, 'overdue'],
  ])('on day %i it is %s', ([now, state]) => {
    expect(at(now).state).toBe(state);
  });
  test('starts again when it was done', () => {
    expect(at(100, 80)).toEqual({ state: 'upcoming', dueAt: start + 170 * day, overdueDays: 0 });
  });
});

test('what is done once stays done', () => {
  const history = { firstSeen: start, entries: [] as number[] };
  expect(standingOf({ kind: 'once' }, history, start, () => undefined).state).toBe('open');
  expect(
    standingOf({ kind: 'once' }, { ...history, entries: [start] }, start + 900 * day, () => undefined),
  ).toEqual({
    state: 'done',
    dueAt: null,
    overdueDays: 0,
  });
});
