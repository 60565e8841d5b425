import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFolder, exponents } from '../../../../src/formats/rdb/crc64-fold.ts';
import { Crc64 } from '../../../../src/formats/rdb/crc64.ts';
import { runs } from '../../../support/house/tier.ts';

/** The definition, bit by bit: slow and obviously right. */
function oracle(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc;
}

const portable = (bytes: Uint8Array): bigint => new Crc64({ portable: true }).update(bytes).digest();

/** Cuts `bytes` at the given places. */
function inChunks(crc: Crc64, bytes: Uint8Array, cuts: number[]): bigint {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  for (let i = 1; i < places.length; i++) crc.update(bytes.subarray(places[i - 1], places[i]));
  return crc.digest();
}

describe('Crc64', () => {
  test('is 0 of nothing and e9c6d914c4b8d9ca of "123456789"', () => {
    expect(new Crc64().digest()).toBe(0n);
    expect(new Crc64().update(new TextEncoder().encode('123456789')).digest()).toBe(0xe9c6d914c4b8d9can);
  });

  test('by table equals the definition', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
        expect(inChunks(new Crc64({ portable: true }), bytes, cuts)).toBe(oracle(bytes));
      }),
    );
  });

  test('by folding equals by table, whatever the length and the chunks', () => {
    const data = randomBytes(700_000);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: data.length }),
        fc.nat(64),
        fc.array(fc.nat(), { maxLength: 6 }),
        (length, from, cuts) => {
          const bytes = data.subarray(from, from + length);
          expect(inChunks(new Crc64(), bytes, cuts)).toBe(portable(bytes));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  test('by folding equals by table around every boundary of its segments', () => {
    const data = randomBytes(128 * 1024 + 3 * 32_768 + 64);
    for (const edge of [128 * 1024, 128 * 1024 + 32_240, 128 * 1024 + 32_768, data.length - 32]) {
      for (let length = edge - 17; length <= edge + 17; length++) {
        const bytes = data.subarray(0, length);
        expect(new Crc64().update(bytes).digest(), `${length} bytes`).toBe(portable(bytes));
      }
    }
  });

  test('folds where this machine has vectors, which every test machine has', () => {
    expect(createFolder()).toBeDefined();
  });

  test('may be asked for the value midway', () => {
    const data = randomBytes(400_000);
    const crc = new Crc64();
    for (let at = 0; at < data.length; at += 50_000) {
      expect(crc.digest()).toBe(portable(data.subarray(0, at)));
      crc.update(data.subarray(at, at + 50_000));
    }
    expect(crc.digest()).toBe(portable(data));
  });

  test('compares with a little-endian trailer', () => {
    const crc = new Crc64().update(randomBytes(1000));
    const trailer = Buffer.alloc(8);
    trailer.writeBigUInt64LE(crc.digest());
    expect(crc.equals(trailer)).toBe(true);
    for (let bit = 0; bit < 64; bit++) {
      const flipped = Buffer.from(trailer);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc.equals(flipped)).toBe(false);
    }
    expect(crc.equals(trailer.subarray(1))).toBe(false);
  });
});

test('the sparse polynomial is a multiple of the Jones polynomial', () => {
  const jones = (1n << 64n) | 0xad93d23594c935a9n;
  const reduce = (value: bigint): bigint => {
    let rest = value;
    for (let bit = 127n; bit >= 64n; bit--) if ((rest >> bit) & 1n) rest ^= jones << (bit - 64n);
    return rest;
  };
  const multiply = (a: bigint, b: bigint): bigint => {
    let product = 0n;
    for (let bit = 0n; bit < 64n; bit++) if ((b >> bit) & 1n) product ^= a << bit;
    return reduce(product);
  };
  const power = (exponent: number): bigint => {
    if (exponent === 0) return 1n;
    const half = power(exponent >> 1);
    const square = multiply(half, half);
    return exponent & 1 ? multiply(square, 2n) : square;
  };
  expect(exponents.reduce((sum, exponent) => sum ^ power(128 * exponent), 0n)).toBe(0n);
  expect(exponents).toContain(0);
  // and the arithmetic can tell: no single term is zero
  for (const exponent of exponents) expect(power(128 * exponent)).not.toBe(0n);
});
