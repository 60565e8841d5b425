import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { UniqueBytes } from '../../../../../src/formats/rdb/values/unique-bytes.ts';

test('says what was there before, as a Set of strings does, again after clear', () => {
  const unique = new UniqueBytes();
  const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 2 }), fc.uint8Array({ minLength: 60, maxLength: 70 }));
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 200 }), (all) => {
      unique.clear();
      const known = new Set<string>();
      for (const bytes of all) {
        const text = bytes.join(',');
        expect(unique.add(bytes)).toBe(!known.has(text));
        known.add(text);
      }
    }),
  );
});

test('takes parts of arrays, and tells what starts or ends alike apart', () => {
  const unique = new UniqueBytes();
  const bytes = Buffer.from('abcabcab');
  expect(unique.add(bytes, 0, 3)).toBe(true);
  expect(unique.add(bytes, 3, 6)).toBe(false);
  expect(unique.add(bytes, 3, 5)).toBe(true);
  expect(unique.add(bytes, 6, 8)).toBe(false);
  expect(unique.add(bytes, 8, 8)).toBe(true);
  expect(unique.add(bytes, 0, 0)).toBe(false);
});

test('keeps a hundred thousand, also after a clear', () => {
  const unique = new UniqueBytes();
  for (let round = 0; round < 2; round++) {
    unique.clear();
    let added = 0;
    for (let index = 0; index < 100_000; index++) if (unique.add(Buffer.from(`member ${index}`))) added++;
    expect(added).toBe(100_000);
    expect(unique.add(Buffer.from('member 99999'))).toBe(false);
    expect(unique.add(Buffer.from('member 0'))).toBe(false);
  }
});

test('gives up beyond its memory instead of taking more', () => {
  const unique = new UniqueBytes();
  const large = Buffer.alloc(1024 * 1024);
  for (let index = 0; index < 40; index++) {
    large.writeUInt32LE(index);
    expect(unique.add(large)).toBe(true);
  }
  large.writeUInt32LE(0);
  expect(unique.add(large)).toBe(true);
  unique.clear();
  expect(unique.add(large)).toBe(true);
  expect(unique.add(large)).toBe(false);
});
