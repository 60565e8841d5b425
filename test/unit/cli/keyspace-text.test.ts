import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstUnrepeated } from '../../../src/cli/render/keyspace-text.ts';

interface Row {
  prefix: string;
  depth: number;
  keys: number;
}

const row = (prefix: string, keys: number): Row => ({
  prefix,
  keys,
  depth: prefix.split(':').length - (prefix.endsWith(':') ? 1 : 0),
});
const sameKeys = (a: Row, b: Row): boolean => a.keys === b.keys;
const shown = (rows: readonly Row[], most = 100): string[] =>
  firstUnrepeated(rows, most, sameKeys).map(({ prefix }) => prefix);

describe('lines that say nothing new', () => {
  test('what is all in one below it, and an id that has all that is above it', () => {
    expect(shown([row('app:', 5), row('app:users:', 5)])).toEqual(['app:users:']);
    expect(shown([row('user:', 5), row('user:*:', 5), row('user:*:cart', 5)])).toEqual(['user:*:cart']);
    expect(shown([row('user:', 5), row('user:*:', 5)])).toEqual(['user:']);
    expect(shown([row('user:', 9), row('user:*:', 5), row('user:*:cart', 3)])).toHaveLength(3);
    expect(shown([row('a:', 5), row('ab:c:', 5)])).toEqual(['a:', 'ab:c:']);
  });

  test('as many as are wanted, in their order', () => {
    expect(shown([row('b:', 2), row('b:c:', 2), row('a:', 1), row('z:', 1)], 2)).toEqual(['b:c:', 'a:']);
  });

  test('the same as by comparing each with each', () => {
    const repeats = (one: Row, other: Row): boolean =>
      sameKeys(one, other) &&
      (other.depth > one.depth
        ? other.prefix.startsWith(one.prefix) && other.prefix.at(-2) !== '*'
        : one.prefix.at(-2) === '*' && other.depth === one.depth - 1 && one.prefix.startsWith(other.prefix));
    const segment = fc.constantFrom('a', 'b', 'ab', '*', 'a*');
    const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join(':')}:`);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.nat(2)), { selector: ([prefix]) => prefix, maxLength: 20 }),
        (pairs) => {
          const rows = pairs.map(([prefix, keys]) => row(prefix, keys));
          const slowly = rows.filter((one) => !rows.some((other) => repeats(one, other)));
          expect(shown(rows)).toEqual(slowly.map(({ prefix }) => prefix));
        },
      ),
    );
  });

  test('of as many as can come from two dumps', () => {
    const rows = Array.from({ length: 65_536 }, (_, index) => row(`p${index >> 4}:${index}:`, 1));
    expect(shown(rows, Infinity)).toHaveLength(65_536);
  });
});
