import type { KeyspaceSummary, KeyTally } from '../domain/keyspace.ts';
import type { RdbRecord } from '../formats/rdb/rdb-handler.ts';
import { valueTypes } from '../formats/rdb/value-types.ts';
import { heap, type Arena } from './arena.ts';
import { dataTypes } from './prefix-sums.ts';

const columns = 6;
/** More databases than any server has; a damaged or hostile file's others count as the last of these. */
const mostDatabases = 4096;
/** A string of up to so many bytes is `embstr` for OBJECT ENCODING, else `raw`. */
const embeddedString = 44;

/** Type and encoding of each row; strings have three, which their content decides. */
const rows: { type: string; encoding: string }[] = [];
/** The row of each value type by its code; of strings the first. */
export const rowOfCode = new Uint8Array(256);
for (const { code, data, encoding } of valueTypes) {
  const found = rows.findIndex((row) => row.type === data && row.encoding === encoding);
  rowOfCode[code] = found < 0 ? rows.length : found;
  const encodings = code === 0 ? ['int', 'embstr', 'raw'] : [encoding];
  if (found < 0) rows.push(...encodings.map((each) => ({ type: data, encoding: each })));
}

/** Sums by database, type and encoding. */
export class Tallies {
  /** Of the database that was entered last, which others may add to: a row for each type and encoding. */
  readonly sums: Float64Array;
  readonly #databases = new Map<number, Float64Array>();
  #database = -1;
  /** The last that was added. */
  #newest = 0;
  /** Where the current database's keys are counted. */
  #key = 0;

  constructor(arena: Arena = heap) {
    this.sums = arena.doubles(rows.length * columns);
    this.enter(0);
  }

  /** What follows is of this database. */
  enter(database: number): void {
    if (database === this.#database) return;
    this.#leave();
    this.#database = database;
    if (!this.#databases.has(database) && this.#databases.size < mostDatabases) {
      this.#databases.set(database, new Float64Array(this.sums.length));
      this.#newest = database;
    }
    this.#key = this.#databases.has(database) ? database : this.#newest;
    this.sums.set(this.#databases.get(this.#key)!);
  }

  /** Returns the record's encoding's row, for `encodingOf`. */
  add(record: RdbRecord, bytes: number, memory: number): number {
    this.enter(record.database);
    const row = rowOf(record);
    const at = row * columns;
    const { sums } = this;
    sums[at]! += 1;
    sums[at + 1]! += record.elements;
    sums[at + 2]! += bytes;
    sums[at + 3]! += memory;
    if (record.expiresAt >= 0) {
      sums[at + 4]! += 1;
      sums[at + 5]! += bytes;
    }
    return row;
  }

  encodingOf(row: number): string {
    return rows[row]?.encoding ?? '';
  }

  summarize(): Pick<KeyspaceSummary, 'totals' | 'databases' | 'types'> {
    this.#leave();
    const databases = [...this.#databases]
      .toSorted(([a], [b]) => a - b)
      .map(([database, sums]) => {
        const types = byType(sums).map(({ type, tallies }) => ({ type, ...total(tallies) }));
        return { database, ...total(types), types };
      })
      .filter(({ keys }) => keys > 0);
    const all = new Float64Array(this.sums.length);
    for (const sums of this.#databases.values()) sums.forEach((value, at) => (all[at]! += value));
    const types = byType(all).map(({ type, tallies }) => ({
      type,
      ...total(tallies),
      encodings: tallies.toSorted((a, b) => b.keys - a.keys),
    }));
    return { totals: total(types), databases, types };
  }

  #leave(): void {
    this.#databases.get(this.#key)?.set(this.sums);
  }
}

function rowOf({ type, integer, longest }: RdbRecord): number {
  if (type.code !== 0) return rowOfCode[type.code]!;
  return integer ? 0 : longest <= embeddedString ? 1 : 2;
}

/** Types in their usual order, each with the sums of its encodings; without those that have no key. */
function byType(sums: Float64Array): { type: string; tallies: (KeyTally & { encoding: string })[] }[] {
  const all = rows.map(({ type, encoding }, row) => ({
    type,
    tally: { encoding, ...tallyOf(sums.subarray(row * columns, (row + 1) * columns)) },
  }));
  return dataTypes
    .map((type) => ({
      type,
      tallies: all.filter((row) => row.type === type && row.tally.keys > 0).map(({ tally }) => tally),
    }))
    .filter(({ tallies }) => tallies.length > 0);
}

function tallyOf(row: Float64Array): KeyTally {
  const [keys = 0, elements = 0, bytes = 0, memory = 0, expiring = 0, expiringBytes = 0] = row;
  return { keys, elements, bytes, memory, expiring, expiring_bytes: expiringBytes };
}

function total(tallies: readonly KeyTally[]): KeyTally {
  const sum = (name: keyof KeyTally): number => tallies.reduce((all, tally) => all + tally[name], 0);
  return {
    keys: sum('keys'),
    elements: sum('elements'),
    bytes: sum('bytes'),
    memory: sum('memory'),
    expiring: sum('expiring'),
    expiring_bytes: sum('expiring_bytes'),
  };
}
