import { HashTable } from './hash-table.ts';
import { KeyHash, type HashSeed } from './key-hash.ts';

/** Of the filter in all: 8 bits for each of 50 million keys. */
const mostBytes = 48 * 1024 * 1024;
/** What most dumps have lies in the processor's cache, and is not made by the system page by page. */
const firstBytes = 4 * 1024 * 1024;
/** So many keys it takes, and mistakes none of them for another: that would cost a second reading. Others get the rest. */
const firstKeys = 800_000;
/** How many bits a key has in either part: what takes the fewest for known. */
const firstBits = 8;
const restBits = 5;
/** A block is 16 words, one line of the processor's cache: a key is looked up in one place. */
const blockWords = 16;
const smallestBytes = 64 * 1024;
/** No key takes less of a file than that: a type, a length, and a value. */
const leastPerKey = 3;
const bitsPerKey = 16;

/**
 * Keys wait until there are so many whose blocks lie beside one another: each by itself would wait for the memory of its
 * block, which is what most of the search took. Their parts are by the hash's first byte, and so are blocks.
 */
const lots = 256;
const lotKeys = 1024;

/**
 * Finds the keys that may stand in a dump twice, in one reading and bounded memory: a blocked Bloom filter, which passes
 * over no twin, and takes less than one in a hundred other keys for one (of 50 million keys; of few, none). What it finds
 * a second reading looks at exactly: `TwinFinder`.
 */
export class TwinFilter {
  readonly seed: HashSeed;
  readonly #hash: KeyHash;
  readonly #first: Part;
  readonly #restBytes: number;
  /** How many keys still go into the first part. */
  #left: number;
  #rest: Part | undefined;
  /** Hashes that wait, two words each, lot by lot; and how many of each. */
  readonly #waiting = new Int32Array(lots * lotKeys * 2);
  readonly #counts = new Int32Array(lots);
  readonly #suspects = new HashTable();

  /** `bytes`: the dump's length, where that is known. */
  constructor(seed: HashSeed, bytes = Infinity) {
    this.seed = seed;
    this.#hash = new KeyHash(seed);
    const wanted = Math.max(smallestBytes, ((bytes / leastPerKey) * bitsPerKey) / 8);
    this.#first = new Part(Math.min(firstBytes, wanted), firstBits);
    this.#restBytes = Math.min(mostBytes, wanted) - firstBytes;
    // A short dump has no more keys than the first part takes.
    this.#left = wanted <= firstBytes ? 2 ** 30 : firstKeys;
  }

  /** What was found so far. */
  get suspects(): HashTable {
    this.#settleAll();
    return this.#suspects;
  }

  add(database: number, bytes: Uint8Array, from: number, to: number): void {
    const hash = this.#hash;
    hash.of(database, bytes, from, to);
    const { high, low } = hash;
    const lot = high >>> 24;
    const count = this.#counts[lot]!;
    const at = (lot * lotKeys + count) * 2;
    this.#waiting[at] = high;
    this.#waiting[at + 1] = low;
    this.#counts[lot] = count + 1;
    if (count + 1 === lotKeys) this.#settle(lot);
    if (this.#rest === undefined && --this.#left === 0) this.#goOn();
  }

  /** The first part is full: what waits belongs to it, what comes to another. */
  #goOn(): void {
    this.#settleAll();
    this.#rest = new Part(Math.max(smallestBytes, this.#restBytes), restBits);
  }

  #settleAll(): void {
    for (let lot = 0; lot < lots; lot++) this.#settle(lot);
  }

  #settle(lot: number): void {
    const waiting = this.#waiting;
    const [first, rest] = [this.#first, this.#rest];
    const from = lot * lotKeys * 2;
    const to = from + this.#counts[lot]! * 2;
    for (let at = from; at < to; at += 2) {
      const high = waiting[at]!;
      const low = waiting[at + 1]!;
      const known = rest === undefined ? first.note(high, low) : rest.note(high, low) || first.has(high, low);
      if (known) this.#suspects.add(high, low);
    }
    this.#counts[lot] = 0;
  }
}

class Part {
  // Signed, and sums cut to 32 bits: numbers that are more than that would be made in memory.
  readonly #words: Int32Array;
  readonly #blocks: number;
  readonly #bits: number;

  constructor(bytes: number, bits: number) {
    this.#bits = bits;
    this.#blocks = Math.floor(bytes / (blockWords * 4));
    this.#words = new Int32Array(this.#blocks * blockWords);
  }

  /** Notes it. Had it, or something that looks like it, been noted before? */
  note(high: number, low: number): boolean {
    const words = this.#words;
    const block = this.#blockOf(high);
    // Which of the block's 16 words, and which of its bits. No branch depends on them: nothing foretells where it goes.
    let missing = 0;
    let bits = low;
    for (let turn = 0; turn < this.#bits; turn++) {
      const word = block + (bits & 15);
      const bit = 1 << (bits >>> 4);
      const old = words[word]!;
      missing |= bit & ~old;
      words[word] = old | bit;
      bits = next(bits, high);
    }
    return missing === 0;
  }

  has(high: number, low: number): boolean {
    const words = this.#words;
    const block = this.#blockOf(high);
    let bits = low;
    for (let turn = 0; turn < this.#bits; turn++) {
      if ((words[block + (bits & 15)]! & (1 << (bits >>> 4))) === 0) return false;
      bits = next(bits, high);
    }
    return true;
  }

  #blockOf(high: number): number {
    return Math.floor(((high >>> 0) / 2 ** 32) * this.#blocks) * blockWords;
  }
}

function next(bits: number, high: number): number {
  return (Math.imul(bits ^ (bits >>> 9), 0x9e37_79b1) + high) | 0;
}
