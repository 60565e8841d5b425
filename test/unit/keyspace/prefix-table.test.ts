import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeySize } from '../../../src/keyspace/prefix-sums.ts';
import { PrefixTable } from '../../../src/keyspace/prefix-table.ts';

const one: KeySize = { bytes: 10, memory: 100, expires: false, type: 0 };

function add(table: PrefixTable, name: string, size: KeySize = one): void {
  const bytes = Buffer.from(name);
  table.add(bytes, 0, bytes.length, size);
}

function prefixesOf(names: string[], { separator = ':', depth = 4 } = {}): Record<string, number> {
  const table = new PrefixTable(separator.charCodeAt(0), depth, { limit: 256 });
  for (const name of names) add(table, name);
  return Object.fromEntries(table.entries().map(({ prefix, keys }) => [prefix, keys]));
}

describe('names', () => {
  test.for<[name: string, prefixes: string[]]>([
    ['user:123', ['user:']],
    ['user:123:cart', ['user:', 'user:*:', 'user:*:cart']],
    ['user:alice:cart', ['user:', 'user:alice:']],
    ['user:123:', ['user:', 'user:*:']],
    ['user:123:456', ['user:', 'user:*:']],
    ['user:1:orders:2:items', ['user:', 'user:*:', 'user:*:orders:', 'user:*:orders:*:']],
    ['plain', []],
    ['', []],
    [':', [':']],
    ['::x', [':', '::']],
    ['{user1000}:following', ['{user*}:']],
    ['v2:node07:x', ['v2:', 'v2:node07:']],
    ['order-1234:lines', ['order-*:']],
    ['2026-11-21:visits', ['*:', '*:visits']],
    ['id:550e8400-e29b-41d4-a716-446655440000:x', ['id:', 'id:*:', 'id:*:x']],
    ['id:d41d8cd98f00b204e9800998ecf8427e:x', ['id:', 'id:*:', 'id:*:x']],
    ['id:01J9ZQ4X7K2M3N5P6R8S9T0V1W:x', ['id:', 'id:*:', 'id:*:x']],
    ['session-550e8400-e29b-41d4-a716-446655440000:x', ['session-*:']],
    ['log-2026-11-21.gz:x', ['log-*.gz:']],
    ['host-10.0.0.1:x', ['host-*:']],
    ['app-1.2:x', ['app-1.2:']],
    ['blob_d41d8cd98f00b204_v1:x', ['blob_*_v1:']],
    ['deadbeef:x', ['deadbeef:']],
    ['feature-flags-for-all-users:x', ['feature-flags-for-all-users:']],
    ['id:\u0001\u0002:x', ['id:', 'id:*:', 'id:*:x']],
    ['ключ:1', ['ключ:']],
    ['a\u001b[31m:1', ['*:']],
    ['a\u202eb:1', ['a\\u{202e}b:']],
    [`${'x'.repeat(300)}:y`, []],
    [`a:${'x'.repeat(300)}:y`, ['a:']],
    [`a:1:${'x'.repeat(300)}`, ['a:', 'a:*:']],
  ])('%j', ([name, prefixes]) => {
    expect(prefixesOf([name])).toEqual(Object.fromEntries(prefixes.map((prefix) => [prefix, 1])));
  });

  test('only to the depth that was asked for, with any separator', () => {
    expect(prefixesOf(['a/b/c/d'], { separator: '/', depth: 2 })).toEqual({ 'a/': 1, 'a/b/': 1 });
    expect(prefixesOf(['a/b', 'a/c', 'b'], { separator: '/', depth: 1 })).toEqual({ 'a/': 2 });
  });

  test('what is generalised alike counts together', () => {
    expect(prefixesOf(['user:1:cart', 'user:22:cart', 'user:333:name', 'user:x:cart'])).toEqual({
      'user:': 4,
      'user:*:': 3,
      'user:*:cart': 2,
      'user:*:name': 1,
      'user:x:': 1,
    });
  });
});

/** Alike in their first letters, in all but their last, short, long, numbers, and what is a number in part. */
const segment = fc.constantFrom(
  'user',
  'users',
  'us',
  'u',
  '',
  '*',
  'profile',
  'profiles',
  'profile-v2',
  '7',
  '2024',
  '7days',
  'a-segment-of-many-bytes',
  'a-segment-of-many-byteS',
  'x123',
  'x*',
  'ключ',
  'name\u0001',
  'abcd\0',
);

test('a name counts the same whatever came before it, and wherever in a buffer it is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(segment, { maxLength: 5 }), { maxLength: 40 }),
      fc.nat(40),
      (names, room) => {
        const together = new PrefixTable(58, 3, { limit: 1000 });
        const alone = new Map<string, number>();
        for (const name of names.map((segments) => segments.join(':'))) {
          const bytes = Buffer.from(`x:${name}${':y'.repeat(room)}`);
          together.add(bytes, 2, 2 + Buffer.byteLength(name), one);
          for (const [prefix, keys] of Object.entries(prefixesOf([name], { depth: 3 })))
            alone.set(prefix, (alone.get(prefix) ?? 0) + keys);
        }
        expect(new Map(together.entries().map(({ prefix, keys }) => [prefix, keys]))).toEqual(alone);
      },
    ),
  );
});

test('types, expiries and sizes are those of the keys', () => {
  const table = new PrefixTable(58, 1);
  add(table, 'a:1', { bytes: 1, memory: 2, expires: true, type: 4 });
  add(table, 'a:2', { bytes: 3, memory: 4, expires: false, type: 0 });
  expect(table.entries()).toEqual([
    { prefix: 'a:', depth: 1, types: ['string', 'hash'], keys: 2, bytes: 4, memory: 6, expiring: 1 },
  ]);
});

describe('more prefixes than there is room for', () => {
  test('the large ones stay, and no number lacks more than is said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 4, max: 20 }),
        (keys, limit) => {
          const table = new PrefixTable(58, 1, { limit });
          const exact = new Map<string, { keys: number; memory: number }>();
          for (const [which, memory] of keys) {
            // No digits: those would be generalised.
            const prefix = `${'abcdefgh'[which % 8]}${'xyzuvwst'[which >> 3]}:`;
            const sum = exact.get(prefix) ?? { keys: 0, memory: 0 };
            exact.set(prefix, { keys: sum.keys + 1, memory: sum.memory + memory });
            add(table, `${prefix}k`, { ...one, memory });
          }
          const found = table.entries();
          expect(found.length).toBeLessThanOrEqual(limit + 1);
          expect(exact.size > limit || table.missed === 0).toBe(true);
          for (const { prefix, memory, keys: count } of found) {
            const truth = exact.get(prefix);
            expect(memory).toBeLessThanOrEqual(truth?.memory ?? 0);
            expect(count).toBeLessThanOrEqual(truth?.keys ?? 0);
            expect(memory + table.missed).toBeGreaterThanOrEqual(truth?.memory ?? Infinity);
          }
          const names = new Set(found.map(({ prefix }) => prefix));
          const large = [...exact].filter(([, { memory }]) => memory > table.missed);
          expect(large.filter(([prefix]) => !names.has(prefix))).toEqual([]);
        },
      ),
    );
  });

  test('a prefix is there as long as one below it', () => {
    const table = new PrefixTable(58, 3, { limit: 50 });
    for (let round = 0; round < 2000; round++)
      add(table, `${'abc'[round % 3]}:${letters(round % 37)}:${letters(round % 101)}:x`);
    const names = new Set(table.entries().map(({ prefix }) => prefix));
    expect(table.missed).toBeGreaterThan(0);
    const parents = [...names].map((name) => name.replace(/[^:]*:$/, '')).filter((parent) => parent !== '');
    expect(parents.filter((parent) => !names.has(parent))).toEqual([]);
  });
});

test('names that were made to collide cost little, and are said to be missed', () => {
  const table = new PrefixTable(58, 1, { limit: 200 });
  const home = (name: string): number => {
    const word = Buffer.from(name.padEnd(4, '\0')).readInt32LE();
    const half = Math.imul(word ^ (2 * name.length), 0x9e3779b1);
    const hash = Math.imul(half ^ (half >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & 1023;
  };
  let made = 0;
  for (let seed = 0; made < 200; seed++) {
    const name = letters(seed);
    if (home(name) !== 7) continue;
    add(table, `${name}:k`);
    made++;
  }
  expect(table.entries()).toHaveLength(128);
  expect(table.missed).toBe(72 * 100);
});

/** A number in letters: digits would be generalised. */
function letters(number: number): string {
  return number
    .toString(26)
    .replaceAll(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] ?? '')
    .replaceAll(/[a-p]/g, (letter) => letter.toUpperCase());
}
