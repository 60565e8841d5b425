import type { KeyspaceSummary, KeyTally } from '../domain/keyspace.ts';
import type { RdbRecord } from '../formats/rdb/rdb-handler.ts';
import type { ValueType } from '../formats/rdb/value-types.ts';
import { dataTypes } from './prefix-sums.ts';

const columns = 6;
/** More databases than any server has; a damaged or hostile file's others count as the last of these. */
const mostDatabases = 4096;
/** A string of up to so many bytes is `embstr` for OBJECT ENCODING, else `raw`. */
const embeddedString = 44;

/** Sums by database, type and encoding. */
export class Tallies {
  /** Type and encoding of each row. */
  readonly #rows: { type: string; encoding: string }[] = [];
  /** The row of each value type by its code; strings have three. */
  readonly #rowOfCode = new Int16Array(256).fill(-1);
  readonly #databases = new Map<number, Float64Array>();
  #database = -1;
  /** The last that was added. */
  #newest = 0;
  /** Where the current database's keys are counted. */
  #key = -1;
  #sums: Float64Array = new Float64Array(0);

  constructor() {
    for (const encoding of ['int', 'embstr', 'raw']) this.#rows.push({ type: 'string', encoding });
  }

  /** Returns the record's encoding's row, for `encodingOf`. */
  add(record: RdbRecord, bytes: number, memory: number): number {
    const row = this.#rowOf(record);
    if (record.database !== this.#database) this.#enter(record.database);
    let at = row * columns;
    if (at >= this.#sums.length) at = this.#grow(row);
    const sums = this.#sums;
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
    return this.#rows[row]?.encoding ?? '';
  }

  summarize(): Pick<KeyspaceSummary, 'totals' | 'databases' | 'types'> {
    const databases = [...this.#databases]
      .toSorted(([a], [b]) => a - b)
      .map(([database, sums]) => {
        const types = this.#byType(sums).map(({ type, rows }) => ({ type, ...total(rows) }));
        return { database, ...total(types), types };
      });
    const all = new Float64Array(this.#rows.length * columns);
    for (const sums of this.#databases.values()) sums.forEach((value, at) => (all[at]! += value));
    const types = this.#byType(all).map(({ type, rows }) => ({
      type,
      ...total(rows),
      encodings: rows.toSorted((a, b) => b.keys - a.keys),
    }));
    return { totals: total(types), databases, types };
  }

  #rowOf({ type, integer, longest }: RdbRecord): number {
    if (type.code === 0) return integer ? 0 : longest <= embeddedString ? 1 : 2;
    const known = this.#rowOfCode[type.code]!;
    return known >= 0 ? known : this.#newRow(type);
  }

  /** Apart: a function with a closure in it makes a context on every call. */
  #newRow({ code, data, encoding }: ValueType): number {
    const found = this.#rows.findIndex((row) => row.type === data && row.encoding === encoding);
    const row = found < 0 ? this.#rows.push({ type: data, encoding }) - 1 : found;
    this.#rowOfCode[code] = row;
    return row;
  }

  #enter(database: number): void {
    this.#database = database;
    if (!this.#databases.has(database) && this.#databases.size < mostDatabases) {
      this.#databases.set(database, new Float64Array(0));
      this.#newest = database;
    }
    this.#key = this.#databases.has(database) ? database : this.#newest;
    this.#sums = this.#databases.get(this.#key) ?? this.#sums;
  }

  /** Makes room for a row that came up later than this database did. */
  #grow(row: number): number {
    const larger = new Float64Array(this.#rows.length * columns);
    larger.set(this.#sums);
    this.#databases.set(this.#key, larger);
    this.#sums = larger;
    return row * columns;
  }

  /** Types in their usual order, each with the sums of its encodings; without those that have no key. */
  #byType(sums: Float64Array): { type: string; rows: (KeyTally & { encoding: string })[] }[] {
    const rows = this.#rows.map(({ type, encoding }, row) => ({
      type,
      tally: { encoding, ...tallyOf(sums.subarray(row * columns, (row + 1) * columns)) },
    }));
    return dataTypes
      .map((type) => ({
        type,
        rows: rows.filter((row) => row.type === type && row.tally.keys > 0).map(({ tally }) => tally),
      }))
      .filter((each) => each.rows.length > 0);
  }
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
