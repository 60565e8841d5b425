import type { Prefix } from '../domain/keyspace.ts';
import { heap, type Arena } from './arena.ts';
import { keyText } from './key-text.ts';
import { PrefixTexts } from './prefix-texts.ts';

/** The types that a prefix has, as bits of this list. */
export const dataTypes = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'] as const;

/** What is added for one key. */
export interface KeySize {
  bytes: number;
  memory: number;
  expires: boolean;
  /** Index in `dataTypes`. */
  type: number;
}

/** The entry above all: of keys that have no prefix. */
export const root = 0;
/** No such entry. */
export const absent = -1;
/** Only names that were made to collide are so far from their place: those are not counted, and `missed` says so. */
export const crowded = -2;
const longestProbe = 128;

/** Columns of a row of sums. */
const column = { keys: 0, bytes: 1, memory: 2, expiring: 3 } as const;
const columns = 4;

/** Entries by which it is judged what half of them have. */
const judged = 1024;

/** A segment as it counts, in a form to compare: two words that are it, up to eight bytes, or its hash. */
export interface SegmentKey {
  a: number;
  b: number;
  /** Tells lengths apart, and ends of names from what a separator follows; less than 1024. */
  tag: number;
}

/**
 * Sums by prefix in bounded memory: a tree, whose every entry is a segment below its parent's. A key is added to the
 * last of its prefixes alone; those above get it when they are asked for, which is exact and saves most of the work.
 *
 * Beyond the limit, the half with the least memory is forgotten: lossy counting. Nothing is lost of a prefix that stays,
 * and what one that comes again may lack is bounded: `missed`, the sum of the largest that were forgotten.
 */
export class PrefixSums {
  // The tables that can be seen are those that the scanner's kernel shares (scan-layout.ts).
  readonly #limit: number;
  /** By hash: index of the entry, 0 is free. */
  readonly slots: Int32Array;
  readonly #mask: number;
  /** Parent and tag of each entry in one number, then the two words. */
  readonly places: Int32Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Below each entry, the one for numbers; 0: not asked for yet. */
  readonly stars: Int32Array;
  /** Of the keys for which this is the last prefix. */
  readonly sums: Float64Array;
  readonly #depths: Uint8Array;
  readonly types: Uint8Array;
  readonly literal: Uint8Array;
  readonly #texts: PrefixTexts;
  #count = 1;
  #full = false;
  /** Bytes of memory. */
  missed = 0;

  /** `spare`: entries beyond the limit that may come, each with a text of `longest` bytes, until `makeRoom`. */
  constructor(limit: number, spare: number, longest: number, arena: Arena = heap) {
    this.#limit = limit;
    const capacity = 1 + limit + spare;
    const slots = 2 ** Math.ceil(Math.log2((limit + spare) * 4));
    this.slots = arena.integers(slots);
    this.#mask = slots - 1;
    this.places = arena.integers(capacity);
    this.first = arena.integers(capacity);
    this.second = arena.integers(capacity);
    this.stars = arena.integers(capacity);
    this.sums = arena.doubles(capacity * columns);
    this.#depths = new Uint8Array(capacity);
    this.types = arena.bytes(capacity);
    this.literal = arena.bytes(capacity);
    this.#texts = new PrefixTexts(limit, spare, longest);
  }

  /** Forgets everything. */
  clear(): void {
    this.#count = 1;
    this.#full = false;
    this.slots.fill(0);
    this.stars.fill(0);
    this.sums.fill(0, 0, columns);
    this.missed = 0;
  }

  /** To be called after each key, and not within one: no prefix may go while one below it comes. */
  makeRoom(): void {
    if (this.#full) this.#forget();
  }

  /** The entry of this segment below that one, `absent` or `crowded`. */
  find(parent: number, a: number, b: number, tag: number): number {
    const place = (parent << 10) | tag;
    const home = homeOf(place, a, b);
    for (let step = 0; step < longestProbe; step++) {
      const entry = this.slots[(home + step) & this.#mask]!;
      if (entry === 0) return absent;
      if (this.first[entry] === a && this.second[entry] === b && this.places[entry] === place) return entry;
    }
    return crowded;
  }

  /** The entry for numbers below that one, as `setStar` told; or 0. */
  star(parent: number): number {
    return this.stars[parent]!;
  }

  setStar(parent: number, entry: number): void {
    this.stars[parent] = entry;
  }

  /** Does this entry's segment stand for itself alone, whatever else may count as the same? */
  isLiteral(entry: number): boolean {
    return this.literal[entry] === 1;
  }

  setLiteral(entry: number): void {
    this.literal[entry] = 1;
  }

  /** Adds an entry that is not there; its text is its parent's and the first `length` bytes of `text`. */
  insert(parent: number, { a, b, tag }: SegmentKey, text: Uint8Array, length: number): number {
    const entry = this.#count++;
    this.places[entry] = (parent << 10) | tag;
    this.first[entry] = a;
    this.second[entry] = b;
    this.stars[entry] = 0;
    this.sums.fill(0, entry * columns, (entry + 1) * columns);
    this.#depths[entry] = this.#depths[parent]! + 1;
    this.types[entry] = 0;
    this.literal[entry] = 0;
    this.#texts.add(entry, parent, text, length);
    this.#place(entry);
    this.#full = entry > this.#limit || this.#texts.isFull(this.#count);
    return entry;
  }

  /** Adds a key whose last prefix this is. */
  add(entry: number, size: KeySize): void {
    const at = entry * columns;
    const sums = this.sums;
    sums[at]! += 1;
    sums[at + column.bytes]! += size.bytes;
    sums[at + column.memory]! += size.memory;
    if (size.expires) sums[at + column.expiring]! += 1;
    this.types[entry]! |= 1 << size.type;
  }

  /** Of the keys that were added to the root. */
  get none(): { keys: number; bytes: number; memory: number } {
    const [keys = 0, bytes = 0, memory = 0] = this.sums;
    return { keys, bytes, memory };
  }

  /** How many are held. */
  get count(): number {
    return this.#count - 1;
  }

  /**
   * Those that have at least `keys` keys; when they are more than `most`, only so many of each with the most memory,
   * bytes and keys, of equals those that came first. In no order.
   */
  entries({ most = Infinity, keys: fewest = 0 } = {}): Prefix[] {
    const sums = this.sums.slice(0, this.#count * columns);
    const types = this.types.slice(0, this.#count);
    this.#addUp(sums, types);
    const all = Uint32Array.from({ length: this.count }, (_, index) => index + 1).filter(
      (entry) => sums[entry * columns]! >= fewest,
    );
    const largest = (measure: number): Uint32Array =>
      all
        .toSorted((x, y) => sums[y * columns + measure]! - sums[x * columns + measure]! || x - y)
        .subarray(0, most);
    const wanted =
      all.length <= most
        ? all
        : new Set([...largest(column.memory), ...largest(column.bytes), ...largest(column.keys)]);
    return Array.from(wanted, (entry) => {
      const at = entry * columns;
      return {
        prefix: keyText(this.#texts.of(entry)).key,
        depth: this.#depths[entry]!,
        types: dataTypes.filter((_type, bit) => (types[entry]! & (1 << bit)) !== 0),
        keys: sums[at]!,
        bytes: sums[at + column.bytes]!,
        memory: sums[at + column.memory]!,
        expiring: sums[at + column.expiring]!,
      };
    });
  }

  /** Gives each what those below it have. An entry comes after its parent. */
  #addUp(sums: Float64Array, types: Uint8Array): void {
    for (let entry = this.#count - 1; entry > 0; entry--) this.#addToParent(entry, sums, types);
  }

  #addToParent(entry: number, sums: Float64Array, types: Uint8Array): void {
    const parent = this.places[entry]! >>> 10;
    if (parent === root) return;
    for (let at = 0; at < columns; at++) sums[parent * columns + at]! += sums[entry * columns + at]!;
    types[parent]! |= types[entry]!;
  }

  #place(entry: number): void {
    let slot = homeOf(this.places[entry]!, this.first[entry]!, this.second[entry]!) & this.#mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.slots[slot] = entry;
  }

  /**
   * Forgets about the half with the least memory. A prefix has at least as much as each one below it, so it stays as
   * long as they do.
   */
  #forget(): void {
    const count = this.#count;
    const sums = this.sums.slice(0, count * columns);
    this.#addUp(sums, this.types);
    const bound = this.#middleMemory(sums);
    const goes = (entry: number): boolean => sums[entry * columns + column.memory]! <= bound;
    // What goes stays counted in what is above it.
    for (let entry = count - 1; entry > 0; entry--)
      if (goes(entry)) this.#addToParent(entry, this.sums, this.types);
    this.#count = 1;
    this.slots.fill(0);
    this.stars.fill(0);
    const moved = new Int32Array(count);
    this.#texts.keep(
      count,
      (entry) => !goes(entry),
      (from, to) => {
        moved[from] = to;
        this.#move(from, to, moved);
      },
    );
    this.missed += bound;
    this.#full = false;
  }

  #middleMemory(sums: Float64Array): number {
    const step = Math.ceil(this.count / judged);
    const memory = Float64Array.from(
      { length: Math.ceil(this.count / step) },
      (_, each) => sums[(1 + each * step) * columns + column.memory]!,
    ).toSorted();
    return memory[memory.length >> 1] ?? 0;
  }

  /** Puts an entry behind those that stayed; `moved` says where its parent is now. */
  #move(from: number, to: number, moved: Int32Array): void {
    this.#count = to + 1;
    const place = this.places[from]!;
    this.places[to] = (moved[place >>> 10]! << 10) | (place & 1023);
    this.first[to] = this.first[from]!;
    this.second[to] = this.second[from]!;
    this.#depths[to] = this.#depths[from]!;
    this.types[to] = this.types[from]!;
    this.literal[to] = this.literal[from]!;
    this.sums.copyWithin(to * columns, from * columns, (from + 1) * columns);
    this.#place(to);
  }
}

function homeOf(place: number, a: number, b: number): number {
  const half = Math.imul(a ^ place, 0x9e3779b1);
  const hash = Math.imul(half ^ (half >>> 15) ^ b, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
