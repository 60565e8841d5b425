import { wholeVaries } from './segment.ts';
import type { KeySize } from './prefix-sums.ts';
import { longestPrefix, PrefixTable } from './prefix-table.ts';

/** From the one that says most to the one that says least. */
const candidates = [':', '/', '|', '.', '-', '_'] as const;

/** The first candidate is taken that divides so much of what the best one divides. */
const closeEnough = 0.8;

/** Keys that are looked at before a separator is chosen, and the bytes of their names. */
const sampleKeys = 8192;
const sampleBytes = 512 * 1024;

/** Columns of a row of sizes. */
const columns = 4;

/** The first keys of a file, kept until it is known what divides them. */
export class KeySample {
  readonly #bytes = new Uint8Array(sampleBytes);
  /** Of each key, where the next one begins, and its size: bytes, memory, whether it expires, type. */
  readonly #ends = new Uint32Array(sampleKeys + 1);
  readonly #sizes: number[] = [];
  readonly #size: KeySize = { bytes: 0, memory: 0, expires: false, type: 0 };
  #count = 0;

  /** False: it is full, and this key is not in it. */
  add(bytes: Uint8Array, from: number, to: number, size: KeySize): boolean {
    // Of a longer name not even a table looks at more; one byte tells that it goes on.
    const length = Math.min(to - from, longestPrefix + 1);
    const used = this.#startOf(this.#count);
    if (this.#count === sampleKeys || used + length > sampleBytes) return false;
    for (let at = 0; at < length; at++) this.#bytes[used + at] = bytes[from + at]!;
    this.#sizes.push(size.bytes, size.memory, size.expires ? 1 : 0, size.type);
    this.#ends[this.#count++] = used + length;
    return true;
  }

  addTo(table: PrefixTable): void {
    for (let key = 0; key < this.#count; key++) this.#addKey(key, table);
  }

  /** What divides the keys best, or null: nothing does. */
  separator(): string | null {
    const names = Uint32Array.from({ length: this.#count }, (_, key) => key).filter(
      (key) => !wholeVaries(this.#bytes, this.#startOf(key), this.#ends[key]!),
    );
    const used = this.#bytes.subarray(0, this.#startOf(this.#count));
    const table = new PrefixTable(null, 2, { limit: sampleKeys * 2 });
    const scores: number[] = [];
    for (const candidate of candidates) {
      const byte = candidate.charCodeAt(0);
      scores.push(used.includes(byte) ? this.#score(names, candidate, table) : 0);
      // No other can divide more than all of them.
      if (scores.length === 1 && scores[0]! > 0 && scores[0]! >= names.length * closeEnough) return candidate;
    }
    const best = Math.max(...scores);
    return best === 0 ? null : (candidates[scores.findIndex((each) => each >= best * closeEnough)] ?? null);
  }

  #score(names: Uint32Array, candidate: string, table: PrefixTable): number {
    table.restart(candidate.charCodeAt(0));
    for (const key of names) this.#addKey(key, table);
    return score(table, candidate);
  }

  #addKey(key: number, table: PrefixTable): void {
    const at = key * columns;
    const size = this.#size;
    size.bytes = this.#sizes[at]!;
    size.memory = this.#sizes[at + 1]!;
    size.expires = this.#sizes[at + 2] === 1;
    size.type = this.#sizes[at + 3]!;
    table.add(this.#bytes, this.#startOf(key), this.#ends[key]!, size);
  }

  #startOf(key: number): number {
    return key === 0 ? 0 : this.#ends[key - 1]!;
  }
}

/** Keys that share a prefix with others, one that is more than an id. */
function score(table: PrefixTable, separator: string): number {
  const id = `*${separator}`;
  const shared = table.entries({ keys: 2 });
  const named = shared.filter(({ prefix, depth }) => depth === 1 && prefix !== id);
  const afterId = shared.filter(
    ({ prefix, depth }) => depth === 2 && prefix.startsWith(id) && prefix !== id + id,
  );
  return [...named, ...afterId].reduce((sum, { keys }) => sum + keys, 0);
}
