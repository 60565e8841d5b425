import type { RdbHandler, RdbRecord } from '../rdb-handler.ts';

/** Of what kinds of data servers leave an empty one out; a stream may be empty. */
const leftOut: ReadonlySet<string> = new Set(['list', 'set', 'zset', 'hash']);

/** More databases than any server has. */
const mostDatabases = 65_536;

/** Does a server leave this key out when it loads the dump? Those before 6.2 keep it. */
export function isEmpty({ elements, type }: Pick<RdbRecord, 'elements' | 'type'>): boolean {
  return elements === 0 && leftOut.has(type.data);
}

/** Counts keys that servers leave out, by database. */
export class EmptyKeys implements RdbHandler {
  readonly databases: Record<string, { keys: number; expires: number }> = {};
  count = 0;
  #databases = 0;

  record(record: RdbRecord): void {
    if (!isEmpty(record)) return;
    this.count++;
    let counts = this.databases[record.database];
    if (counts === undefined) {
      if (this.#databases === mostDatabases) return;
      this.#databases++;
      counts = this.databases[record.database] = { keys: 0, expires: 0 };
    }
    counts.keys++;
    if (record.expiresAt !== -1) counts.expires++;
  }
}
