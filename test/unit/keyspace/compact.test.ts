import { expect, test } from 'vitest';
import { compactReport } from '../../../src/keyspace/compact.ts';
import { KeyspaceReport } from '../../../src/keyspace/report.ts';
import { makeRecord } from '../../support/rdb/rdb-records.ts';

const lengthOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

test('a usual report is kept as it is', () => {
  const report = new KeyspaceReport({ now: 0 });
  for (let index = 0; index < 1000; index++) report.record(makeRecord(`user:${index}:cart`, { index }));
  const summary = report.summary();
  expect(compactReport(summary)).toEqual(summary);
  expect(lengthOf(summary)).toBeLessThan(16 * 1024);
});

test('one with long and strange names, and many databases, is cut to 64 KiB, the largest first', () => {
  const report = new KeyspaceReport({ now: 0, top: 200, prefixes: 1000, separator: ':' });
  for (let index = 0; index < 3000; index++) {
    const word = `${index}`.replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
    report.record(
      makeRecord(`\u202e${word.repeat(30)}:\u0007${'\u0001'.repeat(100)}`, {
        index,
        database: index % 4096,
        longest: 10 + index,
      }),
    );
  }
  const summary = report.summary();
  const compact = compactReport(summary);
  expect(lengthOf(summary)).toBeGreaterThan(64 * 1024);
  expect(lengthOf(compact)).toBeLessThanOrEqual(64 * 1024);
  expect(compact.totals).toEqual(summary.totals);
  expect(compact.prefixes.complete).toBe(false);
  expect(compact.keys).toEqual(summary.keys.slice(0, compact.keys.length));
});
