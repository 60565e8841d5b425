import { describe, expect, test } from 'vitest';
import { KeySample } from '../../../src/keyspace/separator.ts';
import { PrefixTable } from '../../../src/keyspace/prefix-table.ts';

const size = { bytes: 1, memory: 1, expires: false, type: 0 };

function separatorOf(names: string[]): string | null {
  const sample = new KeySample();
  for (const name of names) {
    const bytes = Buffer.from(name);
    sample.add(bytes, 0, bytes.length, size);
  }
  return sample.separator();
}

const many = (make: (index: number) => string): string[] =>
  Array.from({ length: 100 }, (_, index) => make(index));
const uuid = (index: number): string =>
  `${(index * 7919 + 0x10000000).toString(16)}-e29b-41d4-a716-${String(index).padStart(12, '4')}`;

describe('what divides the keys', () => {
  test.for<[what: string, names: string[], separator: string | null]>([
    ['nothing', [], null],
    ['one key', ['user:1'], null],
    ['plain words', many((index) => `word${index}`), null],
    ['UUIDs alone', many(uuid), null],
    ['numbers alone', many(String), null],
    ['colons', many((index) => `user:${index}`), ':'],
    ['colons, though names have underscores and dots', many((index) => `user_profile:v1.0:${index}`), ':'],
    ['colons, though ids are UUIDs', many((index) => `session:${uuid(index)}`), ':'],
    ['colons after a date', many((index) => `2026-11-${10 + (index % 20)}:visits`), ':'],
    ['slashes', many((index) => `cache/page/${index}`), '/'],
    ['pipes', many((index) => `a|${index}`), '|'],
    ['dots', many((index) => `app.users.${index}`), '.'],
    ['hyphens', many((index) => `session-${uuid(index)}`), '-'],
    ['underscores', many((index) => `user_${index}`), '_'],
    ['what most have', [...many((index) => `user_${index}`), 'a:1', 'a:2'], '_'],
    ['what some have, among keys without', [...many((index) => `word${index}`), 'a:1', 'a:2'], ':'],
  ])('%s', ([, names, separator]) => {
    expect(separatorOf(names)).toBe(separator);
  });
});

test('a full sample takes no more, and gives back what it took', () => {
  const sample = new KeySample();
  const bytes = Buffer.from(`a:${'x'.repeat(1000)}`);
  let taken = 0;
  while (sample.add(bytes, 0, bytes.length, size)) taken++;
  expect(taken).toBe(Math.floor((512 * 1024) / 257));
  const table = new PrefixTable(58, 3);
  sample.addTo(table);
  expect(table.entries()).toMatchObject([{ prefix: 'a:', keys: taken }]);
});
