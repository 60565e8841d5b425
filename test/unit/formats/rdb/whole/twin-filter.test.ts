import { expect, test } from 'vitest';
import { TwinFilter } from '../../../../../src/formats/rdb/whole/twin-filter.ts';

const seed = { high: 0x1234_5678, low: 0x1eaf_cafe };

/** Keys `from` to `to`; how many of them are suspected. */
function add(filter: TwinFilter, from: number, to: number): number {
  const before = filter.suspects.size;
  const key = Buffer.from('key:0000');
  for (let number = from; number < to; number++) {
    key.writeUInt32LE(number, 4);
    filter.add(0, key, 0, key.length);
  }
  return filter.suspects.size - before;
}

test('a key is known again in both parts, and across them; others are not taken for it', () => {
  const filter = new TwinFilter(seed, 1e9);
  expect(add(filter, 0, 800_000)).toBe(0);
  expect(add(filter, 0, 100)).toBe(100);
  expect(add(filter, 800_000, 830_000)).toBe(0);
  expect(add(filter, 829_000, 830_000)).toBe(1000);
  expect(add(filter, 799_000, 800_000)).toBe(1000);
});

test('few keys of a short dump, and those of one whose length nobody knows', () => {
  for (const bytes of [0, 200_000, Infinity]) {
    const filter = new TwinFilter(seed, bytes);
    expect(add(filter, 0, 20_000)).toBe(0);
    expect(add(filter, 0, 20_000)).toBe(20_000);
  }
});
