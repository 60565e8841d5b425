/** Bytes of each key that are kept: one more than are shown, to tell that there are more. */
const keptBytes = 65;

/**
 * The beginnings of the keys that are on their way, so that an answer which comes much later can be told by its key.
 * First in, first out; without an object for each.
 */
export class RecentKeys {
  #slots = new Uint8Array(1024 * keptBytes);
  #lengths = new Uint8Array(1024);
  #sizes = new Float64Array(1024);
  #from = 0;
  #count = 0;

  /** `size`: of its value. */
  push(bytes: Uint8Array, from: number, to: number, size: number): void {
    if (this.#count === this.#lengths.length) this.#grow();
    const slot = (this.#from + this.#count++) & (this.#lengths.length - 1);
    const length = Math.min(to - from, keptBytes);
    this.#lengths[slot] = length;
    this.#sizes[slot] = size;
    const at = slot * keptBytes;
    for (let each = 0; each < length; each++) this.#slots[at + each] = bytes[from + each]!;
  }

  /** The oldest one's beginning; still there until the next `drop`. */
  get oldest(): Uint8Array {
    const at = this.#from * keptBytes;
    return this.#slots.subarray(at, at + this.#lengths[this.#from]!);
  }

  /** The size of the oldest one's value. */
  get size(): number {
    return this.#sizes[this.#from]!;
  }

  drop(): void {
    this.#from = (this.#from + 1) & (this.#lengths.length - 1);
    this.#count--;
  }

  #grow(): void {
    const [slots, lengths, sizes] = [this.#slots, this.#lengths, this.#sizes];
    this.#slots = new Uint8Array(2 * slots.length);
    this.#lengths = new Uint8Array(2 * lengths.length);
    this.#sizes = new Float64Array(2 * sizes.length);
    turn(slots, this.#slots, this.#from * keptBytes);
    turn(lengths, this.#lengths, this.#from);
    turn(sizes, this.#sizes, this.#from);
    this.#from = 0;
  }
}

/** Copies a ring to the start of a larger one. */
function turn<Ring extends Uint8Array | Float64Array>(ring: Ring, larger: Ring, from: number): void {
  larger.set(ring.subarray(from));
  larger.set(ring.subarray(0, from), ring.length - from);
}
