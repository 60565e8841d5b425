/** What a restore may differ in, with every value that it may have. `aof`: when it is restored. */
export const axes = {
  server: ['redis-6', 'redis-7.0', 'redis-8.0', 'valkey-8', 'valkey-9'],
  aof: ['AOF off', 'AOF on'],
  kind: ['RDB backup', 'AOF backup'],
  form: ['plain', 'zstd', 'zstd+age'],
  store: ['filesystem', 'S3'],
  method: ['live', 'files'],
} as const;

export type AxisName = keyof typeof axes;

/** One value of each axis. */
export type Cell = { [Axis in AxisName]: (typeof axes)[Axis][number] };

interface Impossible {
  reason: string;
  applies(cell: Cell): boolean;
}

/** Each cell is left out for the first of these that applies to it. */
const impossible: readonly Impossible[] = [
  {
    reason: 'a replica takes an RDB from its master and no AOF, so the live method restores RDB backups only',
    applies: ({ kind, method }) => kind === 'AOF backup' && method === 'live',
  },
];

/** How many cells are left out for one reason. */
export interface LeftOut {
  reason: string;
  cells: number;
}

export interface Matrix {
  cells: Cell[];
  leftOut: LeftOut[];
}

/** Every cell that can be, and why the others cannot. */
export function restoreMatrix(): Matrix {
  const judged = everyCell().map((cell) => ({ cell, why: impossible.find((rule) => rule.applies(cell)) }));
  return {
    cells: judged.filter(({ why }) => why === undefined).map(({ cell }) => cell),
    leftOut: impossible.map((rule) => ({
      reason: rule.reason,
      cells: judged.filter(({ why }) => why === rule).length,
    })),
  };
}

function everyCell(): Cell[] {
  return axes.server
    .map((server) => ({ server }))
    .flatMap((cell) => axes.aof.map((aof) => ({ ...cell, aof })))
    .flatMap((cell) => axes.kind.map((kind) => ({ ...cell, kind })))
    .flatMap((cell) => axes.form.map((form) => ({ ...cell, form })))
    .flatMap((cell) => axes.store.map((store) => ({ ...cell, store })))
    .flatMap((cell) => axes.method.map((method) => ({ ...cell, method })));
}

/**
 * A few of the cells in which any two values meet that meet in one of all. Always the same ones: each is the first of
 * those that add the most pairs to what the ones before it cover.
 */
export function coverPairs(cells: readonly Cell[]): Cell[] {
  const left = new Set(cells.flatMap(pairsOf));
  const chosen: Cell[] = [];
  while (left.size > 0) {
    const adds = (cell: Cell): number => pairsOf(cell).filter((pair) => left.has(pair)).length;
    const best = cells.reduce((one, other) => (adds(other) > adds(one) ? other : one));
    chosen.push(best);
    for (const pair of pairsOf(best)) left.delete(pair);
  }
  return chosen;
}

/** Any two of its values, as text. */
function pairsOf(cell: Cell): string[] {
  const values = Object.values(cell);
  return values.flatMap((one, index) => values.slice(index + 1).map((other) => `${one} & ${other}`));
}

/** Of everything but the server, whose build has a name of its own; the S3 server is the one that is always here. */
export function nameCell({ aof, kind, form, store, method }: Cell): string {
  return [aof, kind, form, store === 'S3' ? 'S3 (fauxqs)' : store, method].join(', ');
}

/** What is tested and what is left out, for people to read. */
export function describeMatrix({ cells, leftOut }: Matrix): string {
  const left = leftOut.map(({ reason, cells: count }) => `  ${count} cells left out: ${reason}`);
  const sizes = Object.values(axes).map((values) => values.length);
  return [
    `restore matrix: ${cells.length} cells of ${sizes.join(' × ')}; ${coverPairs(cells).length} cover every pair`,
    ...left,
  ].join('\n');
}
