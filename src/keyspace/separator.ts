import { allVaries, generalise } from './segment.ts';
import type { KeySize } from './prefix-sums.ts';
import { longestPrefix, PrefixTable } from './prefix-table.ts';

/** From the one that says most to the one that says least. */
const candidates = [':', '/', '|', '.', '-', '_'] as const;

/** The first candidate is taken that divides so much of what the best one divides. */
const closeEnough = 0.8;

/** Keys that are looked at before a separator is chosen, and the bytes of their names. */
const sampleKeys = 8192;
const sampleBytes = 512 * 1024;

/** The first keys of a file, kept until it is known what divides them. */
export class KeySample {
  readonly #bytes = new Uint8Array(sampleBytes);
  readonly #keys: { from: number; to: number; size: KeySize }[] = [];
  #used = 0;

  /** False: it is full, and this key is not in it. */
  add(bytes: Uint8Array, from: number, to: number, size: KeySize): boolean {
    // Of a longer name not even a table looks at more; one byte tells that it goes on.
    const length = Math.min(to - from, longestPrefix + 1);
    if (this.#keys.length === sampleKeys || this.#used + length > sampleBytes) return false;
    this.#bytes.set(bytes.subarray(from, from + length), this.#used);
    this.#keys.push({ from: this.#used, to: this.#used + length, size: { ...size } });
    this.#used += length;
    return true;
  }

  addTo(table: PrefixTable): void {
    for (const { from, to, size } of this.#keys) table.add(this.#bytes, from, to, size);
  }

  /** What divides the keys best, or null: nothing does. */
  separator(): string | null {
    const out = new Uint8Array(longestPrefix + 1);
    const names = this.#keys.filter(
      ({ from, to }) => !allVaries(out, generalise(this.#bytes, from, to, out)),
    );
    const table = new PrefixTable(0, 2, sampleKeys * 2);
    const scores = candidates.map((candidate) => {
      table.restart(candidate.charCodeAt(0));
      for (const { from, to, size } of names) table.add(this.#bytes, from, to, size);
      return score(table, candidate);
    });
    const best = Math.max(...scores);
    return best === 0 ? null : (candidates[scores.findIndex((each) => each >= best * closeEnough)] ?? null);
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
