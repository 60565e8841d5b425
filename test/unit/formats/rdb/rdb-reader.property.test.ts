import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyFile } from '../../../support/rdb/arbitraries.ts';
import { expected, observe } from '../../../support/rdb/observe.ts';
import { anyStyle, usual } from '../../../support/rdb/style.ts';
import { writeRdb } from '../../../support/rdb/rdb-writer.ts';
import { runs } from '../../../support/house/tier.ts';

const anyWritten = fc
  .tuple(anyFile, fc.option(fc.nat(), { nil: undefined }))
  .map(([model, seed]) => writeRdb(model, seed === undefined ? usual : anyStyle(seed)));

const anyChunks = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
  fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 }),
);

const anyWish = fc
  .array(fc.constantFrom('skip' as const, 'raw' as const, 'tokens' as const), { minLength: 1, maxLength: 4 })
  .map((wishes) => (index: number) => wishes[index % wishes.length] ?? 'skip');

describe('reading any file of any version', () => {
  test('in one chunk gives what was written', () => {
    fc.assert(
      fc.property(anyWritten, (file) => {
        expect(observe(file.bytes)).toEqual(expected(file));
      }),
      { numRuns: runs(80) },
    );
  });

  test('in any chunks and with any wishes gives what was written', () => {
    fc.assert(
      fc.property(anyWritten, anyChunks, anyWish, (file, chunks, wish) => {
        expect(observe(file.bytes, { chunks, wish })).toEqual(expected(file, { wish }));
      }),
      { numRuns: runs(120) },
    );
  });

  test('with any limits cuts and leaves out, and loses its place nowhere', () => {
    const anyLimits = fc.record({
      keyLimit: fc.nat(300),
      rawLimit: fc.nat(1000),
      // The digits of integers and of scores are never too many.
      stringLimit: fc.integer({ min: 30, max: 300 }),
    });
    fc.assert(
      fc.property(anyFile, anyChunks, anyWish, anyLimits, (model, chunks, wish, limits) => {
        const file = writeRdb(model);
        expect(observe(file.bytes, { chunks, wish, ...limits })).toEqual(expected(file, { wish, ...limits }));
      }),
      { numRuns: runs(120) },
    );
  });
});
