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
 * Finds the keys that may stand in a dump twice, in one reading and bounded memory: a blocked Bloom filter, which passes
 * over no twin, and takes less than one in a hundred other keys for one (of 50 million keys; of few, none). What it finds
 * a second reading looks at exactly: `TwinFinder`.
 */
export class TwinFilter {
  readonly seed: HashSeed;
  readonly #hash: KeyHash;
  readonly #first: Part;
  readonly #restBytes: number;
  #left: number;
  #rest: Part | undefined;
  readonly suspects = new HashTable();

  /** `bytes`: the dump's length, where that is known. */
  constructor(seed: HashSeed, bytes = Infinity) {
    this.seed = seed;
    this.#hash = new KeyHash(seed);
    const wanted = Math.max(smallestBytes, ((bytes / leastPerKey) * bitsPerKey) / 8);
    this.#first = new Part(Math.min(firstBytes, wanted), firstBits);
    this.#restBytes = Math.min(mostBytes, wanted) - firstBytes;
    this.#left = wanted <= firstBytes ? Infinity : firstKeys;
  }

  add(database: number, bytes: Uint8Array, from: number, to: number): void {
    const hash = this.#hash;
    hash.of(database, bytes, from, to);
    const { high, low } = hash;
    if (this.#left > 0) {
      this.#left--;
      if (this.#first.look(high, low, true)) this.suspects.add(high, low);
      return;
    }
    this.#rest ??= new Part(Math.max(smallestBytes, this.#restBytes), restBits);
    const again = this.#rest.look(high, low, true);
    if (again || this.#first.look(high, low, false)) this.suspects.add(high, low);
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

  /** Has it (or something that looks like it) been noted? `note`: it is from now on. */
  look(high: number, low: number, note: boolean): boolean {
    const words = this.#words;
    const block = Math.floor(((high >>> 0) / 2 ** 32) * this.#blocks) * blockWords;
    // Some of the block's 512 bits: which of 16 words, and which of its bits. No branch depends on them: nothing foretells it.
    let missing = 0;
    let bits = low;
    for (let turn = 0; turn < this.#bits; turn++) {
      const word = block + (bits & 15);
      const bit = 1 << (bits >>> 4);
      const old = words[word]!;
      missing |= bit & ~old;
      if (note) words[word] = old | bit;
      bits = (Math.imul(bits ^ (bits >>> 9), 0x9e37_79b1) + high) | 0;
    }
    return missing === 0;
  }
}
