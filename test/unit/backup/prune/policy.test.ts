import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBackupId } from '../../../../src/backup/id.ts';
import { planRetention, type RetentionCandidate } from '../../../../src/backup/prune/policy.ts';
import type { RetentionSettings } from '../../../../src/domain/settings.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 60 * 60 * 1000;
const day = 24 * hour;
const week: RetentionSettings = { days: 7, keep_min: 3, daily: 0, weekly: 0, monthly: 0 };
const utc = { now, timezone: 'UTC' };

function taken(age: number, marks: Partial<RetentionCandidate> = {}): RetentionCandidate {
  const at = now - age;
  return { id: makeBackupId(at, 0), at, ahead: false, sound: true, proven: true, shrunken: false, ...marks };
}

/** `keep` or `remove` and the reason, newest first. */
function plan(candidates: RetentionCandidate[], retention: RetentionSettings = week): string[] {
  return planRetention(candidates, retention, utc).map(
    ({ keep, reason }) => `${keep ? 'keep' : 'remove'}: ${reason}`,
  );
}

describe('planRetention', () => {
  test('keeps by age and removes what is older', () => {
    const backups = [taken(0), taken(3 * day), taken(6.9 * day), taken(7 * day), taken(30 * day)];
    expect(plan(backups)).toEqual([
      'keep: the newest',
      'keep: younger than 7 days',
      'keep: younger than 7 days',
      'remove: older than 7 days',
      'remove: older than 7 days',
    ]);
  });

  test('keeps keep_min however old they are', () => {
    expect(plan([taken(20 * day), taken(30 * day), taken(40 * day), taken(50 * day)])).toEqual([
      'keep: the newest',
      'keep: one of the 3 newest good ones (keep_min)',
      'keep: one of the 3 newest good ones (keep_min)',
      'remove: older than 7 days',
    ]);
  });

  test('never removes the newest proven one', () => {
    const retention = { ...week, keep_min: 1 };
    const backups = [taken(10 * day, { proven: false }), taken(20 * day, { proven: false }), taken(30 * day)];
    expect(plan(backups, retention)).toEqual([
      'keep: the newest',
      'remove: older than 7 days',
      'keep: the newest proven one',
    ]);
  });

  test('shrunken and damaged backups push out no good ones', () => {
    const bad = [
      taken(8 * day, { shrunken: true }),
      taken(9 * day, { shrunken: true }),
      taken(10 * day, { sound: false, proven: false }),
    ];
    const good = [taken(20 * day), taken(30 * day), taken(40 * day), taken(50 * day)];
    expect(plan([...bad, ...good])).toEqual([
      'keep: the newest',
      'remove: older than 7 days',
      'remove: older than 7 days',
      'keep: the newest good one',
      'keep: one of the 3 newest good ones (keep_min)',
      'keep: one of the 3 newest good ones (keep_min)',
      'remove: older than 7 days',
    ]);
  });

  test('keeps the newest of each day, ISO week and month asked for', () => {
    const retention = { days: 0, keep_min: 0, daily: 2, weekly: 2, monthly: 3 };
    const backups = [
      taken(0),
      taken(2 * hour),
      taken(day),
      taken(2 * day),
      taken(8 * day),
      taken(35 * day),
      taken(66 * day),
      taken(100 * day),
    ];
    expect(plan(backups, retention)).toEqual([
      'keep: the newest',
      'remove: older than 0 days',
      'keep: daily for 2026-11-20',
      'remove: older than 0 days',
      'keep: weekly for 2026-W46',
      'keep: monthly for 2026-10',
      'keep: monthly for 2026-09',
      'remove: older than 0 days',
    ]);
  });

  test('a day is a day of the time zone', () => {
    const retention = { days: 0, keep_min: 0, daily: 2, weekly: 0, monthly: 0 };
    const late = Date.parse('2026-11-20T23:30:00Z');
    const backups = [taken(0), taken(now - late)];
    const inTokyo = planRetention(backups, retention, { now, timezone: 'Asia/Tokyo' });
    expect(inTokyo.map(({ keep }) => keep)).toEqual([true, false]);
    expect(planRetention(backups, retention, utc).map(({ keep }) => keep)).toEqual([true, true]);
  });

  test('ISO weeks at the turn of a year', () => {
    const retention = { days: 0, keep_min: 0, daily: 0, weekly: 3, monthly: 0 };
    const later = Date.parse('2027-01-10T12:00:00Z');
    const dates = ['2027-01-10', '2027-01-03', '2026-12-28', '2026-12-27'];
    const backups = dates.map((date) => taken(now - Date.parse(`${date}T12:00:00Z`)));
    const decisions = planRetention(backups, retention, { now: later, timezone: 'UTC' });
    expect(decisions.map(({ reason }) => reason)).toEqual([
      'the newest',
      'weekly for 2026-W53',
      'older than 0 days',
      'weekly for 2026-W52',
    ]);
  });

  test('what seems to come from the future stays, and lets nothing else go', () => {
    const ahead = taken(-400 * day, { ahead: true });
    const retention = { ...week, days: 0, keep_min: 1 };
    expect(plan([ahead, taken(day), taken(2 * day)], retention)).toEqual([
      'keep: from the future, as its name says: a clock was wrong',
      'keep: the newest',
      'remove: older than 0 days',
    ]);
  });

  test('whatever there is: the newest, the newest good one and keep_min good ones stay, and order does not matter', () => {
    const candidate = fc.record({
      age: fc.integer({ min: 0, max: 400 * day }),
      sound: fc.boolean(),
      proven: fc.boolean(),
      shrunken: fc.boolean(),
    });
    const retention = fc.record({
      days: fc.nat(30),
      keep_min: fc.nat(6),
      daily: fc.nat(10),
      weekly: fc.nat(6),
      monthly: fc.nat(6),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(candidate, { selector: ({ age }) => Math.floor(age / 1000) }),
        retention,
        (drawn, rules) => {
          const backups = drawn.map(({ age, ...marks }) => taken(age, marks));
          const decisions = planRetention(backups, rules, utc);
          const kept = new Set(decisions.filter(({ keep }) => keep).map(({ id }) => id));
          const newestFirst = backups.toSorted((a, b) => b.at - a.at);
          const good = newestFirst.filter(({ sound, shrunken }) => sound && !shrunken);
          expect(decisions).toHaveLength(backups.length);
          for (const id of [newestFirst[0], good[0], ...good.slice(0, rules.keep_min)].flatMap(
            (one) => one?.id ?? [],
          ))
            expect(kept).toContain(id);
          for (const { id } of backups.filter(({ at }) => now - at < rules.days * day))
            expect(kept).toContain(id);
          expect(planRetention(backups.toReversed(), rules, utc)).toEqual(decisions);
        },
      ),
    );
  });
});
