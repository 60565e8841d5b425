import type { Prefix } from '../domain/keyspace.ts';
import { keyText } from './key-text.ts';

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

/** Columns of a row of sums. */
const column = { keys: 0, bytes: 1, memory: 2, expiring: 3 } as const;
const columns = 4;

/** Bytes of a prefix's text that there is room for, on average. */
const usualText = 64;
/** Entries by which it is judged what half of them have. */
const judged = 1024;
/** Only names that were made to collide are so far from their place: those are not counted, and `missed` says so. */
const longestProbe = 128;
const crowded = -2;
const absent = -1;

/**
 * Sums by prefix in bounded memory. A prefix is told by two hashes of 32 bits; its text is written once, when it is
 * first seen.
 *
 * Beyond the limit, the half with the least memory is forgotten: lossy counting. Nothing is lost of a prefix that stays,
 * and what one that comes again may lack is bounded: `missed`, the sum of the largest that were forgotten.
 */
export class PrefixSums {
  readonly #limit: number;
  /** By hash: index of the entry and 1; 0 is free. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #first: Int32Array;
  readonly #second: Int32Array;
  readonly #sums: Float64Array;
  readonly #depths: Uint8Array;
  readonly #types: Uint8Array;
  /** The entries' texts, one after the other. */
  readonly #texts: Uint8Array;
  readonly #textEnds: Uint32Array;
  readonly #textLimit: number;
  #count = 0;
  /** Bytes of memory. */
  missed = 0;

  /** `spare`: entries beyond the limit that may come, each with a text of `longest` bytes, until `makeRoom`. */
  constructor(limit: number, spare: number, longest: number) {
    this.#limit = limit;
    const capacity = limit + spare;
    const slots = 2 ** Math.ceil(Math.log2(capacity * 4));
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
    this.#first = new Int32Array(capacity);
    this.#second = new Int32Array(capacity);
    this.#sums = new Float64Array(capacity * columns);
    this.#depths = new Uint8Array(capacity);
    this.#types = new Uint8Array(capacity);
    this.#textLimit = limit * usualText;
    this.#texts = new Uint8Array(this.#textLimit + spare * longest);
    this.#textEnds = new Uint32Array(capacity);
  }

  /** To be called before each key, and not within one: no prefix may go while one below it comes. */
  makeRoom(): void {
    if (this.#count > this.#limit || this.#textStart(this.#count) > this.#textLimit) this.#forget();
  }

  /** Adds to a prefix that is there. False: it is not, and has to be inserted. */
  add(a: number, b: number, size: KeySize): boolean {
    const entry = this.#find(a, b);
    if (entry >= 0) this.#addTo(entry, size);
    else if (entry === crowded) this.missed += size.memory;
    return entry !== absent;
  }

  /** `text`: its first bytes, `length` many, are this prefix, which is not there. */
  insert(a: number, b: number, depth: number, size: KeySize, text: Uint8Array, length: number): void {
    const entry = this.#count++;
    this.#first[entry] = a;
    this.#second[entry] = b;
    this.#sums.fill(0, entry * columns, (entry + 1) * columns);
    this.#depths[entry] = depth;
    this.#types[entry] = 0;
    const start = this.#textStart(entry);
    for (let at = 0; at < length; at++) this.#texts[start + at] = text[at]!;
    this.#textEnds[entry] = start + length;
    this.#place(entry);
    this.#addTo(entry, size);
  }

  /** All that are held, in no order. */
  entries(): Prefix[] {
    return Array.from({ length: this.#count }, (_, entry) => {
      const [keys = 0, bytes = 0, memory = 0, expiring = 0] = this.#sums.subarray(entry * columns);
      const types = dataTypes.filter((_type, bit) => (this.#types[entry]! & (1 << bit)) !== 0);
      const prefix = keyText(this.#texts.subarray(this.#textStart(entry), this.#textEnds[entry])).key;
      return { prefix, depth: this.#depths[entry] ?? 0, types, keys, bytes, memory, expiring };
    });
  }

  #find(a: number, b: number): number {
    const home = this.#home(a);
    for (let step = 0; step < longestProbe; step++) {
      const entry = this.#slots[(home + step) & this.#mask]! - 1;
      if (entry === absent || (this.#first[entry] === a && this.#second[entry] === b)) return entry;
    }
    return crowded;
  }

  #addTo(entry: number, size: KeySize): void {
    const at = entry * columns;
    const sums = this.#sums;
    sums[at]! += 1;
    sums[at + column.bytes]! += size.bytes;
    sums[at + column.memory]! += size.memory;
    if (size.expires) sums[at + column.expiring]! += 1;
    this.#types[entry]! |= 1 << size.type;
  }

  #place(entry: number): void {
    let slot = this.#home(this.#first[entry]!);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = entry + 1;
  }

  #home(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #textStart(entry: number): number {
    return entry === 0 ? 0 : this.#textEnds[entry - 1]!;
  }

  /**
   * Forgets about the half with the least memory. A prefix has at least as much as each one below it, so it stays as
   * long as they do.
   */
  #forget(): void {
    const count = this.#count;
    const bound = this.#middleMemory();
    this.#count = 0;
    this.#slots.fill(0);
    let start = 0;
    for (let entry = 0; entry < count; entry++) {
      const end = this.#textEnds[entry]!;
      if (this.#sums[entry * columns + column.memory]! > bound) this.#move(entry, start, end);
      start = end;
    }
    this.missed += bound;
  }

  #middleMemory(): number {
    const step = Math.ceil(this.#count / judged);
    const memory = Float64Array.from(
      { length: Math.ceil(this.#count / step) },
      (_, each) => this.#sums[each * step * columns + column.memory]!,
    ).toSorted();
    return memory[memory.length >> 1] ?? 0;
  }

  /** Puts an entry, and its text, behind those that stayed. */
  #move(from: number, textStart: number, textEnd: number): void {
    const to = this.#count++;
    this.#first[to] = this.#first[from]!;
    this.#second[to] = this.#second[from]!;
    this.#depths[to] = this.#depths[from]!;
    this.#types[to] = this.#types[from]!;
    this.#sums.copyWithin(to * columns, from * columns, (from + 1) * columns);
    const start = this.#textStart(to);
    this.#texts.copyWithin(start, textStart, textEnd);
    this.#textEnds[to] = start + textEnd - textStart;
    this.#place(to);
  }
}
