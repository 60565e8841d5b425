import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCrc64Kernel } from '../../../../src/formats/rdb/crc64-kernel.ts';
import { updateByTable } from '../../../../src/formats/rdb/crc64-table.ts';
import { runs } from '../../../support/house/tier.ts';

const update = createCrc64Kernel()!;
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

test('sums what tables sum, from any state, in any pieces', () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 100 }),
    fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 3 }),
    fc.record({ low: word, high: word }),
    (seed, lengths, start) => {
      const [ours, theirs] = [{ ...start }, { ...start }];
      for (const length of lengths) {
        const bytes = Uint8Array.from({ length }, (_, at) => (seed[at % seed.length] ?? 0) ^ (at * 31));
        update(ours, bytes);
        updateByTable(theirs, bytes);
      }
      expect(ours).toEqual(theirs);
    },
  );
  fc.assert(property, { numRuns: runs(200) });
});

test('knows the check value of the servers’ crc64.c', () => {
  const state = { low: 0, high: 0 };
  update(state, Buffer.from('123456789'));
  expect([state.high >>> 0, state.low >>> 0]).toEqual([0xe9c6d914, 0xc4b8d9ca]);
});
