import { damaged } from './value-part.ts';

/** Beyond these only order and number are checked: 16 MiB of ids. */
const mostIds = 1_000_000;
const words = 4;

/**
 * The ids that a consumer group holds as pending, and to which of them a consumer has laid claim. The file has them in
 * ascending order, the group's and each consumer's, and each of the group's belongs to exactly one consumer.
 */
export class PendingList {
  /** Four words an id, the highest first. */
  #ids = new Uint32Array(64 * words);
  #owned = new Uint8Array(64);
  #count = 0;
  #claimed = 0;
  readonly #last = new Uint32Array(words);
  readonly #id = new Uint32Array(words);
  #first = true;

  clear(): void {
    this.#count = 0;
    this.#claimed = 0;
    this.restart();
  }

  /** A consumer's list begins. */
  restart(): void {
    this.#first = true;
  }

  /** An id of the group. */
  add(id: Uint8Array): void {
    this.#read(id);
    const index = this.#count++;
    if (index >= mostIds) return;
    if (index * words === this.#ids.length) {
      this.#ids = grown(this.#ids, new Uint32Array(this.#ids.length * 2));
      this.#owned = grown(this.#owned, new Uint8Array(this.#owned.length * 2));
    }
    this.#ids.set(this.#id, index * words);
    this.#owned[index] = 0;
  }

  /** An id of a consumer. */
  claim(id: Uint8Array): void {
    this.#read(id);
    this.#claimed += 1;
    if (this.#count > mostIds) return;
    const index = this.#find();
    if (index < 0) throw damaged("a consumer's pending entry is not one of its group");
    if (this.#owned[index] === 1) throw damaged('two consumers have the same pending entry');
    this.#owned[index] = 1;
  }

  /** After the last consumer. */
  check(): void {
    if (this.#claimed !== this.#count)
      throw damaged(`a group has ${this.#count} pending entries and its consumers ${this.#claimed}`);
  }

  #read(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    for (let word = 0; word < words; word++) this.#id[word] = view.getUint32(word * 4);
    if (!this.#first && compare(this.#id, this.#last, 0) <= 0)
      throw damaged('pending entries are out of order');
    this.#first = false;
    this.#last.set(this.#id);
  }

  #find(): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compare(this.#id, this.#ids, middle * words);
      if (order === 0) return middle;
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }
}

function compare(id: Uint32Array, ids: Uint32Array, at: number): number {
  for (let word = 0; word < words; word++) {
    const difference = id[word]! - ids[at + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function grown<T extends Uint8Array | Uint32Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
