import { expect, test } from 'vitest';
import {
  axes,
  coverPairs,
  describeMatrix,
  nameCell,
  restoreMatrix,
  type AxisName,
  type Cell,
} from '../support/matrix/cells.ts';

const names = ['server', 'aof', 'kind', 'form', 'store', 'method'] as const;
const { cells, leftOut } = restoreMatrix();
const selection = coverPairs(cells);
const text = (cell: Cell): string => `on ${cell.server}: ${nameCell(cell)}`;

test('every cell is in the matrix or left out for a reason', () => {
  expect(Object.keys(axes)).toEqual(names);
  const all = names.reduce((product, name) => product * axes[name].length, 1);
  const without = leftOut.reduce((sum, rule) => sum + rule.cells, 0);
  expect(cells.length + without).toBe(all);
  expect(new Set(cells.map(text)).size).toBe(cells.length);
  // A rule that leaves nothing out is out of date.
  expect(leftOut.filter((rule) => rule.cells === 0)).toEqual([]);
});

test('what is left out, and nothing else', () => {
  const way = ({ aof, kind, method }: Cell): string => `${aof}, ${kind}, ${method}`;
  expect([...new Set(cells.map(way))]).toEqual([
    'AOF off, RDB backup, live',
    'AOF off, RDB backup, files',
    'AOF off, AOF backup, files',
    'AOF on, RDB backup, live',
    'AOF on, RDB backup, files',
    'AOF on, AOF backup, files',
  ]);
  expect([...new Set(cells.map(({ form }) => form))]).toEqual(['plain', 'zstd', 'zstd+age']);
  expect(cells).toHaveLength(axes.server.length * 6 * axes.form.length * axes.store.length);
});

test('every value that is not left out as such is in the selection, with each that it can meet', () => {
  const pairs: string[] = [];
  const missing: string[] = [];
  for (const one of names)
    for (const other of names.slice(names.indexOf(one) + 1))
      for (const [a, b] of valuePairs(one, other)) {
        const meets = (cell: Cell): boolean => cell[one] === a && cell[other] === b;
        if (!cells.some(meets)) continue;
        pairs.push(`${a} & ${b}`);
        if (!selection.some(meets)) missing.push(`${a} & ${b}`);
      }
  expect(missing).toEqual([]);
  expect(pairs.length).toBeGreaterThan(70);
});

function valuePairs(one: AxisName, other: AxisName): (readonly [string, string])[] {
  return axes[one].flatMap((a) => axes[other].map((b) => [a, b] as const));
}

test('the selection is small, always the same, and made of cells that can be', () => {
  // The two largest axes alone need five times three.
  expect(selection.length).toBeGreaterThanOrEqual(15);
  expect(selection.length).toBeLessThanOrEqual(18);
  expect(coverPairs(restoreMatrix().cells)).toEqual(selection);
  expect(new Set(selection.map(text)).size).toBe(selection.length);
  for (const cell of selection) expect(cells.map(text)).toContain(text(cell));
});

test('a pair that only one cell has is found', () => {
  const [first] = cells;
  if (first === undefined) throw new Error('there are cells');
  const lonely: Cell = { ...first, kind: 'AOF backup', method: 'live' };
  expect(coverPairs([...cells, lonely])).toContain(lonely);
});

test('people are told what is left out, and why', () => {
  const told = describeMatrix(restoreMatrix());
  expect(told).toMatch(/^restore matrix: \d+ cells of 5 × 2 × 2 × 3 × 2 × 2; 1\d cover every pair\n/);
  for (const { reason } of leftOut) expect(told).toContain(reason);
});
