import { RdbError, type RdbHandler, type RdbRecord } from '../rdb-handler.ts';
import { shownName } from '../shown-name.ts';
import { HashTable, mostEntries } from './hash-table.ts';
import { KeyHash, type HashSeed } from './key-hash.ts';

/** Of the names that are kept to be compared. */
const mostBytes = 32 * 1024 * 1024;
/** So many of one hash nobody's keys have but those made for it. */
const mostOfOne = 16;

/** The second reading of a dump: of the keys that a `TwinFilter` suspects, finds the first that stands there twice. */
export class TwinFinder implements RdbHandler {
  readonly #suspects: HashTable;
  readonly #hash: KeyHash;
  /** By a suspect's number: the name of it that came last, and one; 0: none did. */
  readonly #latest: Int32Array;
  /** Of a name: the one before it of the same suspect, as above; its database; where its bytes end. */
  readonly #before: Int32Array;
  readonly #databases: Float64Array;
  readonly #ends: Int32Array;
  #bytes = new Uint8Array(64 * 1024);
  #count = 0;
  /** Suspects that could not all be compared. */
  unsure: boolean;

  /** With the seed of the filter. `most`: how many suspects there may be. */
  constructor(suspects: HashTable, seed: HashSeed, most = suspects.size) {
    this.#suspects = suspects;
    this.#hash = new KeyHash(seed);
    this.unsure = suspects.full;
    const room = most + 64;
    this.#latest = new Int32Array(most);
    this.#before = new Int32Array(room);
    this.#databases = new Float64Array(room);
    this.#ends = new Int32Array(room);
  }

  /** Throws an RdbError at the second of two. */
  record(record: RdbRecord): void {
    const { database, bytes, keyFrom, keyTo, keyBytes } = record;
    this.#hash.of(database, bytes, keyFrom, keyTo);
    const suspect = this.#suspects.numberOf(this.#hash.high, this.#hash.low);
    if (suspect < 0) return;
    // Cut by the reader: what is not there cannot be compared.
    if (keyBytes !== keyTo - keyFrom) return this.#giveUp();
    let alike = 0;
    for (let name = this.#latest[suspect]!; name !== 0; name = this.#before[name - 1]!, alike++)
      if (this.#databases[name - 1] === database && this.#isName(name - 1, record)) throw twice(record);
    const start = this.#startOf(this.#count);
    const end = start + keyBytes;
    if (end > mostBytes || alike === mostOfOne || this.#count === this.#ends.length) return this.#giveUp();
    this.#reserve(end);
    this.#bytes.set(bytes.subarray(keyFrom, keyTo), start);
    this.#before[this.#count] = this.#latest[suspect]!;
    this.#databases[this.#count] = database;
    this.#ends[this.#count] = end;
    this.#latest[suspect] = ++this.#count;
  }

  #giveUp(): void {
    this.unsure = true;
  }

  #startOf(name: number): number {
    return name === 0 ? 0 : this.#ends[name - 1]!;
  }

  #isName(name: number, { bytes, keyFrom, keyTo }: RdbRecord): boolean {
    const start = this.#startOf(name);
    const length = this.#ends[name]! - start;
    if (length !== keyTo - keyFrom) return false;
    for (let at = 0; at < length; at++) if (this.#bytes[start + at] !== bytes[keyFrom + at]) return false;
    return true;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(mostBytes, Math.max(bytes, 2 * this.#bytes.length)));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** The same in one reading, where there is no second: every key is suspected, as far as there is room for them. */
export class TwinWatch implements RdbHandler {
  readonly #seen = new HashTable();
  readonly #hash: KeyHash;
  readonly #finder: TwinFinder;

  constructor(seed: HashSeed) {
    this.#hash = new KeyHash(seed);
    this.#finder = new TwinFinder(this.#seen, seed, mostEntries);
  }

  /** Not all keys could be compared. */
  get unsure(): boolean {
    return this.#seen.full || this.#finder.unsure;
  }

  record(record: RdbRecord): void {
    if (this.unsure) return;
    this.#hash.of(record.database, record.bytes, record.keyFrom, record.keyTo);
    this.#seen.add(this.#hash.high, this.#hash.low);
    this.#finder.record(record);
  }
}

function twice({ database, index, offset, bytes, keyFrom, keyTo }: RdbRecord): RdbError {
  const error = new RdbError(
    'damaged',
    `database ${database} has this key twice, which ends a server that loads it`,
    offset,
  );
  error.record = { index, key: shownName(bytes, keyFrom, keyTo) };
  return error;
}
