import type { Prefix } from '../domain/keyspace.ts';
import type { Arena } from './arena.ts';
import { absent, crowded, PrefixSums, root, type KeySize, type SegmentKey } from './prefix-sums.ts';
import { allVaries, control, digit, generalise, kinds } from './segment.ts';

/** Prefixes that are held at a time. */
const usualLimit = 32_768;
/** A prefix is at most so long, in bytes; of a longer name only what comes before is looked at. */
export const longestPrefix = 256;

const wordBytes = 4;
const asterisk = 0x2a;

export interface TableOptions {
  /** Prefixes that are held at a time. */
  limit?: number;
  /** Where its tables are made. */
  arena?: Arena | undefined;
}

/** Every number's segment, in the middle of a name. */
const star: SegmentKey = { a: asterisk, b: 0, tag: 2 };

/** Sums by prefix, at every depth down to a limit, in bounded memory (see PrefixSums). */
export class PrefixTable {
  #separator = 0;
  readonly #depth: number;
  #levels = 0;
  readonly sums: PrefixSums;
  /** What was shown last, to read words of it. */
  #bytes: Uint8Array;
  #view: DataView;
  /** A name at the end of its buffer, where no whole words can be read; and a segment as it counts. */
  readonly #name = new Uint8Array(longestPrefix + 1 + 2 * wordBytes);
  readonly #nameView = new DataView(this.#name.buffer);
  readonly #segment = new Uint8Array(longestPrefix + 1 + 2 * wordBytes);
  readonly #segmentView = new DataView(this.#segment.buffer);
  readonly #key: SegmentKey = { a: 0, b: 0, tag: 0 };
  /** Does all of the segment that was just looked at vary? */
  #varied = false;

  /** `separator`: a byte; null: nothing divides names. */
  constructor(separator: number | null, depth: number, { limit = usualLimit, arena }: TableOptions = {}) {
    this.#depth = depth;
    this.sums = new PrefixSums(limit, depth, longestPrefix, arena);
    this.#bytes = this.#name;
    this.#view = this.#nameView;
    this.#divide(separator);
  }

  /** Forgets everything, and divides names elsewhere from now on: megabytes are dear to make anew. */
  restart(separator: number | null): void {
    this.#divide(separator);
    this.sums.clear();
  }

  /** Where names are divided: a byte, and so many times at most. */
  get division(): { separator: number; levels: number } {
    return { separator: this.#separator, levels: this.#levels };
  }

  /** Adds the key `bytes[from … to)` to each of its prefixes. Does not keep its bytes. */
  add(bytes: Uint8Array, from: number, to: number, size: KeySize): void {
    let entry;
    if (to + 2 * wordBytes <= bytes.length) {
      if (bytes !== this.#bytes) this.#show(bytes);
      entry = this.#lastPrefix(bytes, this.#view, from, to, size);
    } else {
      const length = Math.min(to - from, longestPrefix + 1);
      for (let at = 0; at < length; at++) this.#name[at] = bytes[from + at]!;
      entry = this.#lastPrefix(this.#name, this.#nameView, 0, length, size);
    }
    if (entry !== absent) this.sums.add(entry, size);
    this.sums.makeRoom();
  }

  /** Keys that have no prefix. */
  get none(): { keys: number; bytes: number; memory: number } {
    return this.sums.none;
  }

  get missed(): number {
    return this.sums.missed;
  }

  /** How many are held. */
  get count(): number {
    return this.sums.count;
  }

  /** All that are held, or the largest: see PrefixSums. */
  entries(choice: { most?: number; keys?: number } = {}): Prefix[] {
    return this.sums.entries(choice);
  }

  #divide(separator: number | null): void {
    this.#separator = separator ?? 0;
    this.#levels = separator === null ? 0 : this.#depth;
  }

  #show(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The entry of a name's longest prefix; `absent` when it cannot be counted. */
  #lastPrefix(bytes: Uint8Array, view: DataView, from: number, to: number, size: KeySize): number {
    const end = Math.min(to, from + longestPrefix);
    let entry = root;
    let at = from;
    let afterId = false;
    for (let level = 0; level < this.#levels; level++) {
      const start = at;
      at = findByte(view, this.#separator, at, end);
      const last = at === end;
      // What follows an id names a part (user:*:cart); any other end of a name is the key itself.
      if (last && (!afterId || start === end || end < to)) break;
      const isNumber = at > start && endOfDigits(view, start, at) === at;
      if (last && isNumber) break;
      const next = isNumber ? this.#number(entry) : this.#segmentOf(bytes, view, entry, start, at, last);
      if (next === absent) break;
      if (next === crowded) {
        this.sums.missed += size.memory;
        return entry === root ? absent : entry;
      }
      entry = next;
      if (last) break;
      at++;
      afterId = isNumber || this.#varied;
    }
    return entry;
  }

  /** The entry of a segment that is a number. */
  #number(parent: number): number {
    const known = this.sums.star(parent);
    return known === 0 ? this.#star(parent) : known;
  }

  /** The entry of another; `absent` where it makes no prefix. */
  #segmentOf(
    bytes: Uint8Array,
    view: DataView,
    parent: number,
    from: number,
    to: number,
    last: boolean,
  ): number {
    const { a, b, tag } = readKey(view, from, to - from, last, this.#key);
    const found = this.sums.find(parent, a, b, tag);
    this.#varied = false;
    const isKnown = found > 0 && this.sums.isLiteral(found);
    return isKnown || found === crowded ? found : this.#general(bytes, parent, from, to, last);
  }

  #star(parent: number): number {
    const found = this.sums.find(parent, star.a, star.b, star.tag);
    if (found === crowded) return found;
    this.#segment[0] = asterisk;
    this.#segment[1] = this.#separator;
    const entry = found === absent ? this.sums.insert(parent, star, this.#segment, 2) : found;
    this.sums.setStar(parent, entry);
    return entry;
  }

  /** The entry of any segment, as it counts; `absent` where it makes no prefix. */
  #general(bytes: Uint8Array, parent: number, from: number, to: number, last: boolean): number {
    const segment = this.#segment;
    let all = 0;
    for (let at = from; at < to; at++) all |= kinds[bytes[at]!]!;
    const asItIs = (all & (digit | control)) === 0;
    let length = to - from;
    if (asItIs) for (let at = 0; at < length; at++) segment[at] = bytes[from + at]!;
    else length = generalise(bytes, from, to, segment);
    this.#varied = !asItIs && allVaries(segment, length);
    if (last && this.#varied) return absent;
    const key = readKey(this.#segmentView, 0, length, last, this.#key);
    let entry = this.sums.find(parent, key.a, key.b, key.tag);
    if (entry === crowded) return entry;
    const same = asItIs || (length === to - from && isSame(segment, bytes, from, length));
    if (!last) segment[length] = this.#separator;
    if (entry === absent) entry = this.sums.insert(parent, key, segment, last ? length : length + 1);
    if (same) this.sums.setLiteral(entry);
    return entry;
  }
}

/** Where the digits end that stand here, or `end`. Reads up to three bytes beyond. */
function endOfDigits(view: DataView, from: number, end: number): number {
  for (let at = from; at < end; at += wordBytes) {
    // Digits become 0 … 9, which 6 does not lift over 15.
    const word = view.getInt32(at, true) ^ 0x30303030;
    const others = (((word & 0x0f0f0f0f) + 0x06060606) | word) & 0xf0f0f0f0;
    if (others !== 0) return Math.min(end, at + firstByte(others));
  }
  return end;
}

/** Where the byte is next, or `end`. Reads up to three bytes beyond. */
function findByte(view: DataView, byte: number, from: number, end: number): number {
  const four = Math.imul(byte, 0x01010101);
  for (let at = from; at < end; at += wordBytes) {
    const word = view.getInt32(at, true) ^ four;
    // the lowest bit that is set is that of the first byte that became zero
    const zeros = (word - 0x01010101) & ~word & 0x80808080;
    if (zeros !== 0) return Math.min(end, at + firstByte(zeros));
  }
  return end;
}

/** Which of a word's bytes is the first that has a bit set. */
function firstByte(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >>> 3;
}

/** A segment in a form to compare. Reads up to three bytes beyond. */
function readKey(view: DataView, from: number, length: number, last: boolean, key: SegmentKey): SegmentKey {
  const to = from + length;
  let a = wordAt(view, from, to);
  let b = wordAt(view, from + wordBytes, to);
  for (let at = from + 2 * wordBytes; at < to; at += wordBytes) {
    const word = wordAt(view, at, to);
    a = Math.imul(a ^ (a >>> 15) ^ word, 0x85ebca6b);
    b = Math.imul(b ^ (b >>> 13) ^ word, 0xc2b2ae35);
  }
  key.a = a;
  key.b = b;
  key.tag = 2 * length + (last ? 1 : 0);
  return key;
}

/** Four bytes, those before `to`; zeros for the rest. */
function wordAt(view: DataView, at: number, to: number): number {
  const left = to - at;
  if (left <= 0) return 0;
  const word = view.getInt32(at, true);
  return left >= wordBytes ? word : word & ((1 << (8 * left)) - 1);
}

function isSame(one: Uint8Array, other: Uint8Array, from: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (one[at] !== other[from + at]) return false;
  return true;
}
