import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countPattern } from '../../../src/report/model/count-pattern.ts';
import { readBothWays } from '../../support/rdb/read-both-ways.ts';
import { rdbOf } from '../../support/rdb/rdb.ts';
import { runs } from '../../support/house/tier.ts';

/** A dump of strings with these names. */
const dumpOf = (names: readonly string[]): Buffer =>
  rdbOf(
    Buffer.concat(
      names.map((name) => Buffer.from(`\0${String.fromCharCode(name.length)}${name}\u0001v`, 'latin1')),
    ),
  );

const reportOf = (names: readonly string[], options = {}) =>
  readBothWays(dumpOf(names), [1_000_000], options).scanned.found.summary;

const word = fc.constantFrom(
  'sess',
  'sess',
  'rl',
  'user',
  '12',
  'deadbeef01',
  'a',
  'facade',
  'order-1234',
  '',
);

test('whatever it counts, it is what matches: to the key', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(':')),
        { minLength: 1, maxLength: 40 },
      ),
      fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `${words.join(':')}:*`),
      fc.integer({ min: 0, max: 4 }),
      (names, match, depth) => {
        const counted = countPattern(reportOf(names, { separator: ':', depth }), match);
        if (counted === undefined) return;
        expect(counted?.keys).toBe(names.filter((name) => name.startsWith(match.slice(0, -1))).length);
      },
    ),
    { numRuns: runs(500) },
  );
});

test('the usual patterns are counted, and others are not guessed', () => {
  const names = [
    ...Array.from({ length: 50 }, (_, at) => `sess:${at}`),
    'session:1',
    'rl:ip:1.2.3.4',
    'sess',
  ];
  const report = reportOf(names, { separator: ':' });
  expect(countPattern(report, 'sess:*')).toMatchObject({ keys: 50, withoutTtl: 50 });
  expect(countPattern(report, 'rl:ip:*')).toMatchObject({ keys: 1 });
  for (const match of ['*', 's*', 'sess*', '*:1', 'se?s:*', 'sess:[12]*', 'tenant:12:sess:*', 'sess:*:x', ''])
    expect(countPattern(report, match)).toBeUndefined();
});
