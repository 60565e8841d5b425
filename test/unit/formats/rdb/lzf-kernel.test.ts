import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLzfKernel, overrun } from '../../../../src/formats/rdb/lzf-kernel.ts';
import { LzfDecoder, lzfExpansion } from '../../../../src/formats/rdb/lzf.ts';
import { compressLzf } from '../../../support/rdb/lzf-writer.ts';
import { randomNumbers } from '../../../support/rdb/style.ts';

const bytes = 128 * 1024;
const kernel = createLzfKernel(bytes);

const run = Array.from({ length: 32 }, (_, at) => 97 + at);
const start = [31, ...run, 31, ...run];

/** Tokens that are right, as long as nobody changes them: behind enough to copy from. */
const anyTokens = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 32 }).map((literals) => [literals.length - 1, ...literals]),
      fc
        .tuple(fc.integer({ min: 1, max: 7 }), fc.nat(255), fc.nat(50))
        .map(([length, more, back]) => (length === 7 ? [0xe0, more, back] : [length << 5, back])),
    ),
    { maxLength: 30 },
  )
  .map((tokens) => Uint8Array.from([...start, ...tokens.flat()]));

interface Outcome {
  right: boolean;
  /** What it has written, where it was right. */
  written: string | undefined;
}

const hex = (part: Uint8Array): string => Buffer.from(part).toString('hex');

/** As one decoder does it, both between guards that nobody may touch. */
function decodeBoth(source: Uint8Array, plain: number): [Outcome, Outcome, guarded: boolean] {
  const all = new Uint8Array(kernel?.memory ?? new ArrayBuffer(0)).fill(0xa5);
  const [to, from] = [1000, 64 * 1024];
  all.set(source, from);
  const right = kernel?.decode(from, from + source.length, to, to + plain) === 0;
  const guarded = [all.subarray(0, to), all.subarray(to + plain + overrun, from)].every((part) =>
    part.every((byte) => byte === 0xa5),
  );
  const target = new Uint8Array(plain);
  const other: Outcome = { right: true, written: undefined };
  try {
    new LzfDecoder().decode(source, 0, source.length, target, 0, plain);
    other.written = hex(target);
  } catch {
    other.right = false;
  }
  return [{ right, written: right ? hex(all.subarray(to, to + plain)) : undefined }, other, guarded];
}

describe('the kernel', () => {
  test('is there', () => {
    expect(kernel?.memory.byteLength).toBe(bytes);
  });

  test('agrees with the decoder on anything, and keeps to its places', () => {
    let right = 0;
    fc.assert(
      fc.property(anyTokens, fc.nat(), fc.nat(3), (tokens, seed, changes) => {
        const source = Uint8Array.from(tokens);
        const random = randomNumbers(seed);
        for (let change = 0; change < changes; change++)
          source[Math.floor(random() * source.length)] = Math.floor(random() * 256);
        const decoder = new LzfDecoder();
        decoder.run(source, 0, source.length, new Uint8Array(source.length * lzfExpansion), 0, 20_000);
        for (const plain of [decoder.written, decoder.written - 1, decoder.written + 1, 0, 1]) {
          if (plain < 0) continue;
          const [one, other, guarded] = decodeBoth(source, plain);
          expect(one).toEqual(other);
          expect(guarded).toBe(true);
          if (one.right) right++;
        }
      }),
      { numRuns: 300 },
    );
    expect(right).toBeGreaterThan(100);
  });

  test('copies from any distance, what it is just writing too, and in any length', () => {
    for (let distance = 1; distance <= 40; distance++) {
      const period = Uint8Array.from({ length: distance }, (_, at) => 65 + at);
      for (const length of [1, 2, 3, 8, 9, 15, 16, 17, 40, 264, 300]) {
        const plain = Uint8Array.from({ length: distance + length }, (_, at) => period[at % distance] ?? 0);
        const [one] = decodeBoth(compressLzf(plain), plain.length);
        expect(one, `${distance}, ${length}`).toEqual({ right: true, written: hex(plain) });
      }
    }
  });
});
