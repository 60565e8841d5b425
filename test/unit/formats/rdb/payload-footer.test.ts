import { expect, test } from 'vitest';
import { Crc64 } from '../../../../src/formats/rdb/crc64.ts';
import { footerBytes, PayloadFooter } from '../../../../src/formats/rdb/dump-payload.ts';

/** Bytes without a period that a sum could miss. */
function some(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * at * 31 + (at >> 7)) & 0xff);
}

test('the footer is the version and the sum of all before it, for values of any length in any order', () => {
  const footer = new PayloadFooter();
  for (const length of [0, 1, 7, 700_000, 8, 300, 262_143, 262_142, 262_144, 300_001, 5]) {
    const bytes = new Uint8Array(3 + length + footerBytes);
    bytes.set(some(length), 3);
    footer.write(bytes, 3, 3 + length, 11);
    const summed = bytes.subarray(3, 3 + length + 2);
    expect([...summed.subarray(-2)]).toEqual([11, 0]);
    expect(new Crc64({ portable: true }).update(summed).equals(bytes.subarray(-8))).toBe(true);
  }
});
