import type { RdbHandler, RdbRecord, ValueWish } from '../../formats/rdb/rdb-handler.ts';
import { RdbReader } from '../../formats/rdb/rdb-reader.ts';
import { ValueDecoder } from '../../formats/rdb/value-decoder.ts';
import type { DataType } from '../../formats/rdb/value-types.ts';
import { isEmpty } from '../../formats/rdb/whole/empty-keys.ts';
import { ElementHash, newestStreams } from './element-hash.ts';
import { ValueHash } from './value-hash.ts';

/** Keys are put into this many groups by their names, and each group has sums of its own. */
const groupBits = 12;
const groups = 2 ** groupBits;
const dataTypes: readonly DataType[] = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];

export interface DigestOptions {
  /** Of streams, compare what that revision of their type knows: that of the older file. */
  streams?: number;
  /** Called for every key of these groups, with what stands for its value, type and expiry. */
  watch?: { groups: ReadonlySet<number>; onKey: (key: WatchedKey) => void };
}

/** `name` is valid during the call only, and cut where it is long. */
export interface WatchedKey {
  database: number;
  name: Uint8Array;
  /** The same for the same content, within one comparison. */
  content: string;
  expiresAt: number;
}

/**
 * Stands for all that a dump holds, independent of the order of its keys and of how values are encoded: databases, keys,
 * types, expiries, every element of every value, and functions. Two dumps of one data set have the same one; that two
 * different ones have is as likely as a hash of 64 bits is to hit. Memory is bounded by the largest value.
 */
export class ContentDigest implements RdbHandler {
  readonly reader: RdbReader;
  readonly #values: ElementHash;
  readonly #key = new ValueHash();
  readonly #hash = new ValueHash();
  readonly #sums = new Uint32Array(3 * groups);
  readonly #functions = new Uint32Array(3);
  readonly #watch: DigestOptions['watch'];
  #streams = 0;
  #opaque = 0;
  keys = 0;

  constructor({ streams = newestStreams, watch }: DigestOptions = {}) {
    this.#values = new ElementHash(streams);
    this.#watch = watch;
    this.reader = new RdbReader(this, { sink: new ValueDecoder(this.#values), withoutChecksum: true });
  }

  /** Elements of all values. */
  get elements(): number {
    return this.#values.elements;
  }

  /** Values of which not everything could be compared: a module's own, or with a string that is longer than 64 MiB. */
  get incomplete(): number {
    return this.#opaque + this.#values.tooLong;
  }

  /** The newest revision of streams in it. */
  get streams(): number {
    return this.#streams;
  }

  functions(code: Uint8Array, bytes: number): void {
    this.#hash.reset();
    this.#hash.bytes(code);
    this.#hash.number(bytes);
    this.#hash.finish();
    addTo(this.#functions, 0, this.#hash);
  }

  wish({ type }: RdbRecord): ValueWish {
    this.#values.clear();
    if (type.data === 'stream') this.#streams = Math.max(this.#streams, type.revision);
    if (type.data !== 'module') return 'tokens';
    this.#opaque++;
    return 'skip';
  }

  record(record: RdbRecord): void {
    // A server has left it out, and so has what it writes.
    if (isEmpty(record)) return;
    const { bytes, keyFrom, keyTo, keyBytes, database, type, expiresAt } = record;
    const [key, hash] = [this.#key, this.#hash];
    key.reset();
    key.word(database);
    key.bytes(bytes, keyFrom, keyTo);
    key.word(keyBytes);
    key.finish();
    hash.reset();
    hash.word(key.low);
    hash.word(key.high);
    hash.word(dataTypes.indexOf(type.data));
    hash.number(expiresAt);
    this.#values.addTo(hash);
    hash.finish();
    const group = key.low >>> (32 - groupBits);
    addTo(this.#sums, 3 * group, hash);
    this.keys++;
    if (this.#watch?.groups.has(group) === true)
      this.#watch.onKey({
        database,
        name: bytes.subarray(keyFrom, keyTo),
        content: `${hash.low}.${hash.high}`,
        expiresAt,
      });
  }

  /** Groups of keys that are not the same in the other. Empty: they hold the same keys and values. */
  differingGroups(other: ContentDigest): number[] {
    const found: number[] = [];
    for (let group = 0; group < groups; group++)
      if (!same(this.#sums, other.#sums, 3 * group)) found.push(group);
    return found;
  }

  sameFunctions(other: ContentDigest): boolean {
    return same(this.#functions, other.#functions, 0);
  }
}

function addTo(sums: Uint32Array, at: number, hash: ValueHash): void {
  sums[at] = sums[at]! + hash.low;
  sums[at + 1] = sums[at + 1]! + hash.high;
  sums[at + 2] = sums[at + 2]! + 1;
}

function same(one: Uint32Array, other: Uint32Array, at: number): boolean {
  return [0, 1, 2].every((index) => one[at + index] === other[at + index]);
}
