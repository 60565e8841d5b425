/** 12 MiB at their most, and half as much again while the table grows. */
export const mostEntries = 750_000;
const firstSlots = 1024;

/** A set of 64-bit hashes, each with a number in the order in which they came; bounded. */
export class HashTable {
  #keys = new Uint32Array(firstSlots * 2);
  /** The number of the hash and one; 0: free. */
  #numbers = new Uint32Array(firstSlots);
  #slots = firstSlots;
  size = 0;
  /** Some found no place: it says nothing of those. */
  full = false;

  /** Keeps it, once. */
  add(high: number, low: number): void {
    const slot = this.#find(high, low);
    if (this.#numbers[slot] !== 0) return;
    if (this.size === mostEntries) {
      this.full = true;
      return;
    }
    this.#keys[slot * 2] = high;
    this.#keys[slot * 2 + 1] = low;
    this.#numbers[slot] = ++this.size;
    if (this.size * 4 > this.#slots * 3) this.#grow();
  }

  /** Its number, from 0; -1 when it is not there. */
  numberOf(high: number, low: number): number {
    return this.#numbers[this.#find(high, low)]! - 1;
  }

  #find(high: number, low: number): number {
    const mask = this.#slots - 1;
    let slot = (high ^ Math.imul(low, 0x9e37_79b1)) & mask;
    while (
      this.#numbers[slot] !== 0 &&
      (this.#keys[slot * 2] !== high >>> 0 || this.#keys[slot * 2 + 1] !== low >>> 0)
    )
      slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, numbers] = [this.#keys, this.#numbers];
    this.#slots *= 2;
    this.#keys = new Uint32Array(this.#slots * 2);
    this.#numbers = new Uint32Array(this.#slots);
    for (const [old, number] of numbers.entries()) {
      if (number === 0) continue;
      const slot = this.#find(keys[old * 2]!, keys[old * 2 + 1]!);
      this.#keys[slot * 2] = keys[old * 2]!;
      this.#keys[slot * 2 + 1] = keys[old * 2 + 1]!;
      this.#numbers[slot] = number;
    }
  }
}
