import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decompressLzf,
  decompressLzfPrefix,
  lzfExpansion,
  LzfWalk,
} from '../../../../src/formats/rdb/lzf.ts';
import { RdbError } from '../../../../src/formats/rdb/rdb-handler.ts';
import { Window } from '../../../../src/formats/rdb/window.ts';
import { compressLzf } from '../../../support/rdb/lzf-writer.ts';
import { runs } from '../../../support/house/tier.ts';

/** The definition, byte by byte; undefined for what is none. */
function oracle(source: Uint8Array): number[] | undefined {
  const out: number[] = [];
  for (let at = 0; at < source.length;) {
    const control = source[at++] ?? 0;
    if (control < 32) {
      if (at + control + 1 > source.length) return undefined;
      out.push(...source.subarray(at, at + control + 1));
      at += control + 1;
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === 9) length += source[at++] ?? 0;
    const low = source[at++];
    if (low === undefined) return undefined;
    const from = out.length - (control & 31) * 256 - low - 1;
    if (from < 0) return undefined;
    for (let index = 0; index < length; index++) out.push(out[from + index] ?? 0);
  }
  return out;
}

const letters = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => 97 + ((index * 7 + (index >> 3)) % 26));

/** Like what a compressor writes, right or nearly so. */
const anyCompressed = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.uint8Array({ minLength: 1, maxLength: 32 }).map((run) => [run.length - 1, ...run]),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.integer({ min: 1, max: 7 }), fc.nat(255), fc.nat(40))
          .map(([length, more, back]) => (length === 7 ? [0xe0, more, back] : [length << 5, back])),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }).map((bytes) => [...bytes]) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

describe('decompressLzf', () => {
  test('copies literal bytes, and what came before', () => {
    const source = Uint8Array.of(2, 97, 98, 99, 0x20, 2, 0, 120);
    expect(Buffer.from(decompressLzf(source, 7)).toString()).toBe('abcabcx');
  });

  test('repeats a byte by copying what it is just writing, up to 264 times with three bytes', () => {
    const source = Uint8Array.of(0, 7, 0xe0, 255, 0);
    expect(decompressLzf(source, 265)).toEqual(new Uint8Array(265).fill(7));
  });

  test('copies from 8192 bytes before', () => {
    const start = letters(8192);
    const literals = Array.from({ length: 256 }, (_, run) => [
      31,
      ...start.subarray(run * 32, run * 32 + 32),
    ]);
    const plain = decompressLzf(Uint8Array.from([...literals.flat(), 0xff, 60, 0xff]), 8192 + 69);
    expect(plain.subarray(8192)).toEqual(start.subarray(0, 69));
    expect(() =>
      decompressLzf(Uint8Array.from([...literals.flat().slice(33), 0xff, 60, 0xff]), 8160 + 69),
    ).toThrow('a copy starts before the first byte');
  });

  // oxlint-disable vitest/no-conditional-expect -- what is expected depends on what was made up
  test('equals the definition on anything', () => {
    fc.assert(
      fc.property(anyCompressed, fc.integer({ min: 1, max: 3 }), (source, off) => {
        const plain = oracle(source);
        const right = plain?.length ?? -1;
        if (plain !== undefined) expect([...decompressLzf(source, right)]).toEqual(plain);
        const lengths = [0, 1, 100, source.length * lzfExpansion, right + off, Math.max(0, right - off)];
        for (const length of lengths.filter((other) => other !== right))
          expect(() => decompressLzf(source, length), `${length}`).toThrow(RdbError);
      }),
      { numRuns: runs(2000) },
    );
  });

  // oxlint-enable vitest/no-conditional-expect

  test('gives back what was compressed, into a buffer of the caller too', () => {
    const into = new Uint8Array(5000);
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 3000 }), (values) => {
        const plain = Uint8Array.from(values);
        const packed = compressLzf(plain);
        expect(decompressLzf(packed, plain.length)).toEqual(plain);
        const there = decompressLzf(packed, plain.length, into);
        expect(there).toEqual(plain);
        expect(there.buffer).toBe(into.buffer);
      }),
      { numRuns: runs(50) },
    );
    expect(decompressLzf(compressLzf(letters(6000)), 6000, into)).toEqual(letters(6000));
  });

  test('refuses a length that cannot be reached before it allocates, and what is no length', () => {
    const source = Uint8Array.of(0, 7, 0xe0, 255, 0);
    for (const length of [442, 2 ** 32, 2 ** 53, Number.NaN, Infinity])
      expect(() => decompressLzf(source, length), `${length}`).toThrow('cannot hold');
  });
});

describe('decompressLzfPrefix', () => {
  test('gives the first bytes, also of a source that is cut, and stops at damage', () => {
    fc.assert(
      fc.property(anyCompressed, fc.nat(200), fc.nat(100), (source, wanted, cut) => {
        const plain = oracle(source);
        fc.pre(plain !== undefined);
        const target = new Uint8Array(wanted);
        expect(decompressLzfPrefix(source, target)).toBe(Math.min(wanted, plain.length));
        expect([...target.subarray(0, plain.length)]).toEqual(plain.slice(0, wanted));
        const short = source.subarray(0, cut);
        const got = decompressLzfPrefix(short, target.fill(0));
        expect(got).toBeLessThanOrEqual(wanted);
        expect([...target.subarray(0, got)]).toEqual(plain.slice(0, got));
      }),
      { numRuns: runs(1000) },
    );
    expect(decompressLzfPrefix(Uint8Array.of(1, 5, 6, 0x20, 9), new Uint8Array(10))).toBe(2);
    expect(decompressLzfPrefix(Uint8Array.of(5, 5, 6), new Uint8Array(10))).toBe(2);
    expect(decompressLzfPrefix(new Uint8Array(0), new Uint8Array(10))).toBe(0);
  });
});

describe('LzfWalk', () => {
  /** Walks over `source` in windows of `size` bytes, and says what was wrong. */
  function faultOf(source: Uint8Array, plain: number, size: number): string | undefined {
    const walk = new LzfWalk();
    const window = new Window();
    walk.begin(source.length, plain);
    try {
      for (let at = 0; at < source.length; at += size) {
        window.show(source.subarray(at, at + size), at, 0);
        if (walk.run(window) !== at + size >= source.length) return 'it ends in another window';
      }
      return undefined;
    } catch (error) {
      return error instanceof RdbError ? error.message : `no RdbError: ${String(error)}`;
    }
  }

  test('finds wrong what decompressing finds wrong, in any windows, and nothing else', () => {
    fc.assert(
      fc.property(anyCompressed, fc.integer({ min: -2, max: 2 }), fc.nat(6), (source, off, more) => {
        fc.pre(source.length > 0);
        const plain = oracle(source);
        const announced = Math.max(1, (plain?.length ?? 40) + off);
        const right = plain?.length === announced;
        expect(faultOf(source, announced, 1 + more) === undefined).toBe(right);
        expect(faultOf(source, announced, source.length) === undefined).toBe(right);
      }),
      { numRuns: runs(2000) },
    );
  });
});
