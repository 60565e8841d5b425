import { expect, test } from 'vitest';
import {
  formsDiffer,
  holdsOddEntry,
  listpackForm,
  OddEntries,
} from '../../../../src/formats/rdb/listpack-form.ts';
import { valueTypes, type ValueType } from '../../../../src/formats/rdb/value-types.ts';

function typeOf(code: number): ValueType {
  const type = valueTypes.find((each) => each.code === code);
  if (type === undefined) throw new Error(`no type ${code}`);
  return type;
}

test.each([
  ['redis', '6.0.16', 'long'],
  ['redis', '8.0.6', 'long'],
  ['valkey', '8.1.1', 'long'],
  ['valkey', '9.0.1', 'unknown'],
  ['valkey', '9.1.2', 'short'],
  ['valkey', undefined, 'unknown'],
] as const)('%s %s writes %s', (engine, version, form) => {
  expect(listpackForm(engine, version)).toBe(form);
});

const entry = Buffer.concat([Buffer.from([1, 2, 0xf0, 0xfa, 0x3f, 0, 0]), Buffer.alloc(16_378, 'x')]);
const sizes = { longest: entry.length, valueBytes: entry.length, plainBytes: entry.length };

test('finds the entry in a listpack, and suspects it in one that is compressed and long enough', () => {
  const hash = { ...sizes, type: typeOf(16) };
  expect(holdsOddEntry(hash, entry)).toBe(true);
  expect(holdsOddEntry(hash, entry.subarray(3))).toBe(false);
  expect(holdsOddEntry({ ...hash, plainBytes: hash.valueBytes + 1 }, entry.subarray(3))).toBe(true);
  expect(holdsOddEntry({ ...hash, longest: 16_000, plainBytes: hash.valueBytes + 1 }, entry)).toBe(false);
});

test('strings and tables have no such entry', () => {
  for (const code of [0, 1, 2, 4, 5])
    expect(holdsOddEntry({ ...sizes, type: typeOf(code) }, entry)).toBe(false);
});

test('counts elements of such a length, wherever they are', () => {
  const odd = new OddEntries();
  const [x, y] = [Buffer.alloc(16_378), Buffer.alloc(16_377)];
  odd.item(y);
  odd.member(y);
  odd.field(y, y);
  expect(odd.count).toBe(0);
  odd.item(x);
  odd.member(Buffer.alloc(2_097_146));
  odd.field(x, x);
  odd.entry(undefined, [y, x]);
  expect(odd.count).toBe(5);
});

test('a value must be looked at between servers that write it otherwise, or of which that is not known', () => {
  const [old, valkey, unknown] = [
    { engine: 'redis', version: '7.0.15' },
    { engine: 'valkey', version: '9.1.0' },
    { engine: 'valkey', version: '9.0.1' },
  ] as const;
  expect(formsDiffer(old, { engine: 'valkey', version: '8.1.1' })).toBe(false);
  expect(formsDiffer(valkey, valkey)).toBe(false);
  expect(formsDiffer(old, valkey)).toBe(true);
  expect(formsDiffer(unknown, unknown)).toBe(true);
});
