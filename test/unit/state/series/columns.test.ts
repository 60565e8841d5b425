import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeChunk, encodeChunk, mergeRows, type Row } from '../../../../src/state/series/columns.ts';

const value = fc.oneof(
  fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  fc.constantFrom(0, -0, 1, 64, 63, 127, 128, 2 ** 40),
  fc.integer({ min: -1e9, max: 1e9 }).map((number) => number / 1e6),
);
const rows: fc.Arbitrary<Row[]> = fc
  .uniqueArray(
    fc.record({
      at: fc.integer({ min: 0, max: 4e12 }),
      values: fc.dictionary(fc.integer({ min: 0, max: 400 }).map(String), value, { maxKeys: 6 }),
    }),
    { selector: ({ at }) => at, maxLength: 30 },
  )
  .map((all) =>
    all
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, values }) => ({
        at,
        values: new Map(Object.entries(values).map(([column, each]) => [Number(column), each])),
      })),
  );

/** Columns in order, and values to the millionth. */
const plain = (all: readonly Row[]): unknown =>
  all.map(({ at, values }) => ({
    at,
    values: [...values]
      .toSorted(([a], [b]) => a - b)
      .map(([column, each]) => [column, each.toFixed(6).replace('-0.000000', '0.000000')]),
  }));

/** A column that holds large numbers keeps no fractions: those of one test are all of one kind. */
const alike = (all: readonly Row[]): boolean => {
  const kinds = new Map<number, Set<boolean>>();
  for (const { values } of all)
    for (const [column, each] of values)
      kinds.set(column, (kinds.get(column) ?? new Set()).add(Number.isInteger(each)));
  return [...kinds.values()].every((kind) => kind.size === 1);
};

test('a chunk gives back what was put in', () => {
  fc.assert(
    fc.property(rows.filter(alike), (all) => {
      expect(plain(decodeChunk(encodeChunk(all)))).toEqual(plain(all));
    }),
    { numRuns: 200 },
  );
});

test('what does not fit is bounded, and neither lost nor infinite', () => {
  const [row] = decodeChunk(
    encodeChunk([
      {
        at: 1,
        values: new Map([
          [1, 1e300],
          [2, 0.123_456_789],
        ]),
      },
    ]),
  );
  expect(row?.values.get(1)).toBeGreaterThan(1e15);
  expect(row?.values.get(2)).toBe(0.123457);
});

test('a damaged chunk is an error, and no endless reading', () => {
  const chunk = encodeChunk([{ at: 1, values: new Map([[1, 5]]) }]);
  for (let cut = 0; cut < chunk.length; cut++) expect(() => decodeChunk(chunk.subarray(0, cut))).toThrow(/./);
});

test('of two rows with one time the later counts', () => {
  const [a, b, c] = [1, 2, 3].map((each) => new Map([[1, each]]));
  expect(
    mergeRows(
      [
        { at: 1, values: a! },
        { at: 5, values: b! },
      ],
      [{ at: 5, values: c! }],
    ),
  ).toEqual([
    { at: 1, values: a },
    { at: 5, values: c },
  ]);
});
