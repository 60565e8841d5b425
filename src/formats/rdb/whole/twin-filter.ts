import { HashTable } from './hash-table.ts';
import { KeyHash, type HashSeed } from './key-hash.ts';

/** Of the filter: 8 bits for each of 50 million keys. */
const mostBytes = 48 * 1024 * 1024;
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
  readonly #words: Uint32Array;
  readonly #blocks: number;
  readonly suspects = new HashTable();

  /** `bytes`: the dump's length, where that is known. */
  constructor(seed: HashSeed, bytes = Infinity) {
    this.seed = seed;
    this.#hash = new KeyHash(seed);
    const wanted = Math.max(smallestBytes, ((bytes / leastPerKey) * bitsPerKey) / 8);
    this.#blocks = Math.floor(Math.min(mostBytes, wanted) / (blockWords * 4));
    this.#words = new Uint32Array(this.#blocks * blockWords);
  }

  add(database: number, bytes: Uint8Array, from: number, to: number): void {
    const hash = this.#hash;
    hash.of(database, bytes, from, to);
    const { high, low } = hash;
    const words = this.#words;
    const block = Math.floor(((high >>> 0) / 2 ** 32) * this.#blocks) * blockWords;
    // Five of the block's 512 bits: which of 16 words, and which of its bits.
    let known = true;
    let bits = low;
    for (let turn = 0; turn < 5; turn++) {
      const word = block + (bits & 15);
      const bit = 1 << ((bits >>> 4) & 31);
      if ((words[word]! & bit) === 0) {
        known = false;
        words[word]! |= bit;
      }
      bits = Math.imul(bits ^ (bits >>> 9), 0x9e37_79b1) + high;
    }
    if (known) this.suspects.add(high, low);
  }
}
