import { describe, expect, test } from 'vitest';
import { Crc64 } from '../../../../src/formats/rdb/crc64.ts';
import { WholeSum } from '../../../../src/formats/rdb/whole-sum.ts';
import { featureFiles } from '../../../support/rdb/feature-files.ts';

describe('a dump by its checksum alone', () => {
  const summed = featureFiles(true).filter(({ file }) => file.model.version >= 5);

  test.for(summed)('$name: in chunks of any size, only the whole of it is proven', ({ file: { bytes } }) => {
    for (const size of [1, 3, 8, 9, bytes.length]) expect(isProven(bytes, size)).toBe(true);
    for (const [length] of bytes.entries()) expect(isProven(bytes.subarray(0, length), 64)).toBe(false);
    expect(isProven(Buffer.concat([bytes, Buffer.of(0)]), 64)).toBe(false);
  });

  test.for(summed)('$name: with any byte changed, it is not proven', ({ file: { bytes } }) => {
    for (const at of bytes.keys()) {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 0x40;
      expect(isProven(copy, 64)).toBe(false);
    }
  });

  test.for(featureFiles(false))('$name: without a checksum, it is not proven', ({ file: { bytes } }) => {
    expect(isProven(bytes, 64)).toBe(false);
  });

  test.for([
    ['of a version to come', 'REDIS9999', 0xff],
    ['that does not end with its end opcode', 'REDIS0011', 0xfe],
    ['with another beginning', 'RADIS0011', 0xff],
  ] as const)('a file %s is not proven, though its sum is right', ([, header, last]) => {
    const body = Buffer.concat([Buffer.from(header), Buffer.of(last)]);
    const file = Buffer.concat([body, Buffer.alloc(8)]);
    new Crc64().update(body).write(file, body.length);
    expect(isProven(file, 64)).toBe(false);
  });
});

function isProven(bytes: Uint8Array, size: number): boolean {
  const sum = new WholeSum();
  for (let at = 0; at < bytes.length; at += size) sum.update(bytes.slice(at, at + size));
  return sum.proven;
}
