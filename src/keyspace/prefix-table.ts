import type { Prefix } from '../domain/keyspace.ts';
import { PrefixSums, type KeySize } from './prefix-sums.ts';
import { allVaries, control, digit, generalise, kinds } from './segment.ts';

/** Prefixes that are held at a time. */
const usualLimit = 32_768;
/** A prefix is at most so long, in bytes; of a longer name only what comes before is looked at. */
export const longestPrefix = 256;

// FNV-1a's offset and prime, and others: two independent hashes name a prefix.
const seedA = 0x811c9dc5 | 0;
const seedB = 0x9e3779b9 | 0;
const primeA = 0x01000193;
const primeB = 0x85ebca6b | 0;
const asterisk = 0x2a;

/** Sums by prefix, at every depth down to a limit, in bounded memory (see PrefixSums). */
export class PrefixTable {
  readonly #separator: number;
  readonly #depth: number;
  readonly #sums: PrefixSums;
  readonly #none = { keys: 0, bytes: 0, memory: 0 };
  /** Scratch: a segment, and a prefix's text. */
  readonly #segmentText = new Uint8Array(longestPrefix);
  readonly #prefixText = new Uint8Array(longestPrefix);
  /** The hashes of the prefix that is looked at, generalised. */
  #a = 0;
  #b = 0;

  /** `separator`: a byte. */
  constructor(separator: number, depth: number, limit = usualLimit) {
    this.#separator = separator;
    this.#depth = depth;
    this.#sums = new PrefixSums(limit, depth, longestPrefix);
  }

  /** Adds the key `bytes[from … to)` to each of its prefixes. Does not keep `bytes`. */
  add(bytes: Uint8Array, from: number, to: number, size: KeySize): void {
    this.#sums.makeRoom();
    const separator = this.#separator;
    const end = Math.min(to, from + longestPrefix);
    let afterId = false;
    let at = from;
    let depth = 0;
    this.#a = seedA;
    this.#b = seedB;
    while (depth < this.#depth) {
      const start = at;
      let a = this.#a;
      let b = this.#b;
      let all = 0;
      for (; at < end; at++) {
        const byte = bytes[at]!;
        if (byte === separator) break;
        all |= kinds[byte]!;
        a = Math.imul(a ^ byte, primeA);
        b = Math.imul(b ^ byte, primeB);
      }
      const last = at === end;
      // What follows an id names a part (user:*:cart); any other end of a name is the key itself.
      if (last && (!afterId || start === end || end < to)) break;
      afterId = all === digit;
      if (afterId) this.#mix(asterisk);
      else if ((all & (digit | control)) !== 0) afterId = this.#general(bytes, start, at);
      else {
        this.#a = a;
        this.#b = b;
      }
      if (!last) this.#mix(separator);
      else if (afterId) break;
      depth++;
      if (!this.#sums.add(this.#a, this.#b, size)) this.#insert(bytes, from, last ? at : at + 1, depth, size);
      if (last) break;
      at++;
    }
    if (depth === 0) this.#addToNone(size);
  }

  /** Keys that have no prefix. */
  get none(): { keys: number; bytes: number; memory: number } {
    return { ...this.#none };
  }

  get missed(): number {
    return this.#sums.missed;
  }

  /** All that are held, in no order. */
  entries(): Prefix[] {
    return this.#sums.entries();
  }

  /** Puts one segment behind the prefix, as it counts. True when all of it varies. */
  #general(bytes: Uint8Array, from: number, to: number): boolean {
    const out = this.#segmentText;
    const length = generalise(bytes, from, to, out);
    for (let at = 0; at < length; at++) this.#mix(out[at]!);
    return allVaries(out, length);
  }

  #mix(byte: number): void {
    this.#a = Math.imul(this.#a ^ byte, primeA);
    this.#b = Math.imul(this.#b ^ byte, primeB);
  }

  #insert(bytes: Uint8Array, from: number, to: number, depth: number, size: KeySize): void {
    const out = this.#segmentText;
    const text = this.#prefixText;
    let end = 0;
    for (let start = from; start < to;) {
      let stop = start;
      while (stop < to && bytes[stop] !== this.#separator) stop++;
      const length = generalise(bytes, start, stop, out);
      for (let at = 0; at < length; at++) text[end++] = out[at]!;
      if (stop < to) text[end++] = this.#separator;
      start = stop + 1;
    }
    this.#sums.insert(this.#a, this.#b, depth, size, text, end);
  }

  #addToNone({ bytes, memory }: KeySize): void {
    this.#none.keys += 1;
    this.#none.bytes += bytes;
    this.#none.memory += memory;
  }
}
