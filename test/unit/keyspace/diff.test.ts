import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffKeyspaces, diffMeasures, type Amounts, type Change } from '../../../src/keyspace/diff.ts';
import { reportOf, someReports, type Key } from '../../support/data/keyspace-reports.ts';
import { runs } from '../../support/house/tier.ts';

const many = (number: number, name: (index: number) => string, key: Partial<Key> = {}): Key[] =>
  Array.from({ length: number }, (_, index) => ({ ...key, name: name(index) }));

const before = reportOf([
  ...many(100, (index) => `user:${index}`),
  ...many(50, (index) => `cache:page:${index}`, { bytes: 1000 }),
  ...many(5, (index) => `job:${index}`, { code: 1 }),
  { name: 'session:a' },
]);
const after = reportOf([
  ...many(130, (index) => `user:${index}`),
  ...many(10, (index) => `cache:page:${index}`, { bytes: 1000 }),
  ...many(7, (index) => `order:${index}`, { database: 3 }),
  { name: 'session:a', expiresAt: 1 },
]);

const shortly = ({ change, exact, delta }: Change): object => ({ change, exact, keys: delta.keys });

describe('what changed between two reports', () => {
  test('by prefix: grew, shrank, appeared, vanished; the largest change of memory first', () => {
    const { prefixes, totals } = diffKeyspaces(before, after);
    expect(totals.delta).toMatchObject({ keys: 148 - 156, expiring: 1 });
    expect(prefixes).toMatchObject({ separator: ':', comparable: true, complete: true, missed: 0 });
    expect(prefixes.list.map(({ prefix, ...row }) => ({ prefix, ...shortly(row) }))).toEqual([
      { prefix: 'cache:', change: 'shrank', exact: true, keys: -40 },
      { prefix: 'cache:page:', change: 'shrank', exact: true, keys: -40 },
      { prefix: 'user:', change: 'grew', exact: true, keys: 30 },
      { prefix: 'job:', change: 'vanished', exact: true, keys: -5 },
      { prefix: 'order:', change: 'appeared', exact: true, keys: 7 },
      { prefix: 'session:', change: 'other', exact: true, keys: 0 },
    ]);
    const [cache] = prefixes.list;
    expect(cache?.types).toEqual(['string']);
    expect(cache?.before?.keys).toBe(50);
    expect(cache?.after?.keys).toBe(10);
  });

  test('by the number of keys: other changes come last', () => {
    const { prefixes } = diffKeyspaces(before, after, 'keys');
    expect(prefixes.list.map(({ prefix }) => prefix)).toEqual([
      'cache:',
      'cache:page:',
      'user:',
      'order:',
      'job:',
      'session:',
    ]);
    expect(prefixes.list.at(-1)?.change).toBe('other');
  });

  test('by type, in each database', () => {
    const types = diffKeyspaces(before, after, 'keys').types;
    expect(types.map(({ database, type, ...row }) => ({ database, type, ...shortly(row) }))).toEqual([
      { database: 0, type: 'string', change: 'shrank', exact: true, keys: -10 },
      { database: 3, type: 'string', change: 'appeared', exact: true, keys: 7 },
      { database: 0, type: 'list', change: 'vanished', exact: true, keys: -5 },
    ]);
  });

  test('a report that holds only the largest prefixes does not say that the others were not there', () => {
    const keys = many(9, (index) => `big:${index}`, { bytes: 1000 });
    const small = many(2, (index) => `small:${index}`);
    const largest = reportOf([...keys, ...small], { prefixes: 1 });
    expect(largest.prefixes).toMatchObject({ complete: false, list: [{ prefix: 'big:' }] });
    const whole = reportOf([...keys, ...small]);
    const [entered] = diffKeyspaces(largest, whole).prefixes.list;
    expect(entered).toMatchObject({ prefix: 'small:', change: 'appeared', exact: false, before: null });
    const [left] = diffKeyspaces(whole, largest).prefixes.list;
    expect(left).toMatchObject({ prefix: 'small:', change: 'vanished', exact: false, after: null });
    // What both have is told exactly.
    const more = reportOf([...keys, { name: 'big:more' }, ...small], { prefixes: 1 });
    expect(diffKeyspaces(largest, more).prefixes.list).toMatchObject([{ prefix: 'big:', exact: true }]);
  });

  test('of an empty database everything has appeared', () => {
    const { prefixes, types } = diffKeyspaces(reportOf([]), after);
    for (const row of [...prefixes.list, ...types])
      expect(row).toMatchObject({ change: 'appeared', exact: true, before: null });
    expect(prefixes.separator).toBe(':');
  });

  test('where names are divided differently only the totals are compared', () => {
    const slashes = reportOf(
      many(100, (index) => `user/${index}`),
      { separator: '/' },
    );
    const flat = reportOf(
      many(100, (index) => `user:${index}`),
      { separator: ':', depth: 1 },
    );
    for (const other of [slashes, flat]) {
      const { prefixes, types } = diffKeyspaces(before, other);
      expect(prefixes).toMatchObject({ comparable: false, list: [] });
      expect(types).not.toEqual([]);
    }
  });
});

describe('any two reports', () => {
  /** Each makes a table for many thousands of prefixes. */
  const few = { numRuns: runs(25) };
  const measure = fc.constantFrom(...diffMeasures);

  test('a report and itself: nothing', () => {
    fc.assert(
      fc.property(someReports, measure, (report, by) => {
        const { totals, types, prefixes } = diffKeyspaces(report, report, by);
        expect([types, prefixes.list]).toEqual([[], []]);
        expect(totals.delta).toEqual({ keys: 0, bytes: 0, memory: 0, expiring: 0 });
      }),
      few,
    );
  });

  test('the other way round: the same with opposite signs', () => {
    const opposite = {
      grew: 'shrank',
      shrank: 'grew',
      appeared: 'vanished',
      vanished: 'appeared',
      other: 'other',
    };
    const negative = (amounts: Amounts): Amounts => ({
      keys: 0 - amounts.keys,
      bytes: 0 - amounts.bytes,
      memory: 0 - amounts.memory,
      expiring: 0 - amounts.expiring,
    });
    const mirror = <Row extends Change>(row: Row): Row => ({
      ...row,
      change: opposite[row.change],
      before: row.after,
      after: row.before,
      delta: negative(row.delta),
    });
    fc.assert(
      fc.property(someReports, someReports, measure, (a, b, by) => {
        const there = diffKeyspaces(a, b, by);
        const back = diffKeyspaces(b, a, by);
        expect(back.types).toEqual(there.types.map(mirror));
        expect(back.prefixes.list).toEqual(there.prefixes.list.map(mirror));
        expect(back.prefixes.comparable).toBe(there.prefixes.comparable);
        expect(back.totals.delta).toEqual(negative(there.totals.delta));
      }),
      few,
    );
  });

  test('what is different by type adds up to the totals', () => {
    fc.assert(
      fc.property(someReports, someReports, (a, b) => {
        const { types, totals } = diffKeyspaces(a, b);
        const sum = (name: keyof Amounts): number => types.reduce((all, { delta }) => all + delta[name], 0);
        for (const name of ['keys', 'bytes', 'memory', 'expiring'] as const)
          expect(sum(name)).toBe(totals.delta[name]);
      }),
      few,
    );
  });
});
