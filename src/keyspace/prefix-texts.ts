/** Bytes of a prefix's text that there is room for, on average. */
const usualText = 64;

/** The texts of prefixes, by index, one after the other in one buffer; the text of index 0 is empty. */
export class PrefixTexts {
  readonly #bytes: Uint8Array;
  readonly #ends: Uint32Array;
  readonly #limit: number;

  /** `spare`: texts that may come beyond the limit, each of `longest` bytes. */
  constructor(limit: number, spare: number, longest: number) {
    this.#limit = limit * usualText;
    this.#bytes = new Uint8Array(this.#limit + spare * longest);
    this.#ends = new Uint32Array(1 + limit + spare);
  }

  /** The text of `index`, which is the last: its parent's and the first `length` bytes of `text`. */
  add(index: number, parent: number, text: Uint8Array, length: number): void {
    const above = this.#startOf(parent);
    const start = this.#startOf(index);
    this.#bytes.copyWithin(start, above, this.#ends[parent]);
    const own = start + this.#ends[parent]! - above;
    for (let at = 0; at < length; at++) this.#bytes[own + at] = text[at]!;
    this.#ends[index] = own + length;
  }

  /** Is there more than should be, when that many are held? */
  isFull(count: number): boolean {
    return this.#startOf(count) > this.#limit;
  }

  of(index: number): Uint8Array {
    return this.#bytes.subarray(this.#startOf(index), this.#ends[index]);
  }

  /** Keeps only those for which `stays`, and calls `moved` with the old and the new index of each. */
  keep(count: number, stays: (index: number) => boolean, moved: (from: number, to: number) => void): void {
    let to = 1;
    for (let from = 1, start = 0; from < count; from++) {
      const end = this.#ends[from]!;
      if (stays(from)) {
        const at = this.#startOf(to);
        this.#bytes.copyWithin(at, start, end);
        this.#ends[to] = at + end - start;
        moved(from, to++);
      }
      start = end;
    }
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }
}
