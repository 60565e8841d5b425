import type { RdbHandler, RdbRecord } from './rdb-handler.ts';
import type { RdbVersion } from './rdb-version.ts';
import { typesOf, type DataType } from './value-types.ts';

/** What a dump holds, in numbers. */
export interface RdbContent {
  /** By database number. */
  databases: Record<string, { keys: number; expires: number }>;
  /** Keys by type, of all databases. */
  types: Partial<Record<DataType, number>>;
  /** The server's own notes: `redis-ver`, `ctime`, `used-mem` … */
  aux: Record<string, string>;
}

/** A server writes about ten; what a hostile file adds is not kept. */
const mostAux = 64;
const longestAux = 256;
/** More databases than any server has; a hostile file's others count as the last of these. */
const mostDatabases = 65_536;

/** Counts keys while a file is read. */
export class ContentCounter implements RdbHandler {
  readonly #databases = new Map<number, { keys: number; expires: number }>();
  /** By the type's code. */
  readonly #types = new Float64Array(256);
  readonly #aux = new Map<string, string>();
  #number = -1;
  #current = { keys: 0, expires: 0 };
  #newest = this.#current;
  version: RdbVersion | undefined;

  start(version: RdbVersion): void {
    this.version = version;
  }

  aux(name: string, value: string): void {
    if (this.#aux.size < mostAux) this.#aux.set(name.slice(0, longestAux), value.slice(0, longestAux));
  }

  record(record: RdbRecord): void {
    if (record.database !== this.#number) this.#select(record.database);
    this.#current.keys++;
    if (record.expiresAt !== -1) this.#current.expires++;
    this.#types[record.type.code]! += 1;
  }

  counted(database: number, code: number, keys: number, expiring: number): void {
    if (database !== this.#number) this.#select(database);
    this.#current.keys += keys;
    this.#current.expires += expiring;
    this.#types[code]! += keys;
  }

  content(): RdbContent {
    const types: Partial<Record<DataType, number>> = {};
    for (const type of typesOf(this.version?.engine ?? 'redis')) {
      const keys = type === undefined ? 0 : this.#types[type.code]!;
      if (type !== undefined && keys > 0) types[type.data] = (types[type.data] ?? 0) + keys;
    }
    const databases = [...this.#databases].map(
      ([number, counts]) => [String(number), { ...counts }] as const,
    );
    return { databases: Object.fromEntries(databases), types, aux: Object.fromEntries(this.#aux) };
  }

  #select(database: number): void {
    this.#number = database;
    const known = this.#databases.get(database);
    if (known !== undefined) this.#current = known;
    else if (this.#databases.size < mostDatabases)
      this.#databases.set(database, (this.#current = this.#newest = { keys: 0, expires: 0 }));
    else this.#current = this.#newest;
  }
}
