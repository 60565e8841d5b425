import type { RdbRecord } from '../formats/rdb/rdb-handler.ts';

/** Bytes of a name that are kept: one more than are shown tell that there are more. */
const keptBytes = 257;

/** A copy of what a record said, small. */
export interface KeptKey {
  index: number;
  database: number;
  type: string;
  encoding: string;
  name: Uint8Array;
  keyBytes: number;
  elements: number;
  bytes: number;
  memory: number;
  expiresAt: number;
}

/** The `limit` keys with the largest measure; of equals, those that came first. */
export class LargeKeys {
  readonly #limit: number;
  readonly #kept: { measure: number; key: KeptKey }[] = [];
  /** What a measure has to be above to get in. */
  floor: number;

  /** `floor`: keys up to it are of no interest. */
  constructor(limit: number, floor = 0) {
    this.#limit = limit;
    this.floor = limit === 0 ? Infinity : floor;
  }

  /** Only for a measure above `floor`. */
  add(measure: number, key: KeptKey): void {
    const kept = this.#kept;
    let low = 0;
    for (let high = kept.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (kept[middle]!.measure >= measure) low = middle + 1;
      else high = middle;
    }
    kept.splice(low, 0, { measure, key });
    if (kept.length > this.#limit) kept.pop();
    if (kept.length === this.#limit) this.floor = kept.at(-1)!.measure;
  }

  /** Largest first. */
  keys(): KeptKey[] {
    return this.#kept.map(({ key }) => key);
  }
}

export function keepKey(record: RdbRecord, encoding: string, bytes: number, memory: number): KeptKey {
  const { index, database, keyFrom, keyTo, keyBytes, elements, expiresAt, type } = record;
  const name = new Uint8Array(record.bytes.subarray(keyFrom, Math.min(keyTo, keyFrom + keptBytes))); // a copy
  return { index, database, type: type.data, encoding, name, keyBytes, elements, bytes, memory, expiresAt };
}
