/** Beyond these duplicates are no longer looked for: memory is at most about 50 MiB. */
const mostElements = 1_000_000;
const mostBytes = 32 * 1024 * 1024;
/** Only input that is made for it has so many on one place, and would cost quadratic time. */
const longestChain = 256;
const mostCollisions = 16;

const firstSlots = 64;

/**
 * Says of byte strings whether they were there before: exactly, in bounded memory and time. It does not look any more
 * after a million elements, 32 MiB, or where the elements were made to collide.
 */
export class UniqueBytes {
  /** An element's number and one; 0: free. Open addressing; only the first `#slotCount` are in use. */
  #slots = new Int32Array(firstSlots);
  #slotCount = firstSlots;
  /** Of element n: its hash, and where its bytes end in `#bytes`. */
  #hashes = new Int32Array(firstSlots);
  #ends = new Int32Array(firstSlots);
  #bytes = new Uint8Array(4096);
  #count = 0;
  #collisions = 0;
  #full = false;

  clear(): void {
    if (this.#count > 0) this.#slots.fill(0, 0, this.#slotCount);
    this.#slotCount = firstSlots;
    this.#count = 0;
    this.#collisions = 0;
    this.#full = false;
  }

  /** False: the bytes were added before. */
  add(source: Uint8Array, from = 0, to = source.length): boolean {
    const start = this.#count === 0 ? 0 : this.#ends[this.#count - 1]!;
    if (this.#full) return true;
    if (this.#count === mostElements || start + to - from > mostBytes) {
      this.#full = true;
      return true;
    }
    if (this.#count * 2 >= this.#slotCount) this.#grow();
    const hash = hashOf(source, from, to);
    const mask = this.#slotCount - 1;
    let slot = hash & mask;
    for (let chain = 0; this.#slots[slot] !== 0; chain++, slot = (slot + 1) & mask) {
      const other = this.#slots[slot]! - 1;
      if (this.#hashes[other] === hash) {
        if (this.#holds(other, source, from, to)) return false;
        this.#collisions += 1;
      }
      if (chain === longestChain || this.#collisions > mostCollisions) {
        this.#full = true;
        return true;
      }
    }
    this.#slots[slot] = this.#count + 1;
    this.#keep(hash, start, source, from, to);
    return true;
  }

  #holds(element: number, source: Uint8Array, from: number, to: number): boolean {
    const start = element === 0 ? 0 : this.#ends[element - 1]!;
    if (this.#ends[element]! - start !== to - from) return false;
    for (let at = from, mine = start; at < to; at++, mine++) {
      if (source[at] !== this.#bytes[mine]) return false;
    }
    return true;
  }

  #keep(hash: number, start: number, source: Uint8Array, from: number, to: number): void {
    const end = start + to - from;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(mostBytes, Math.max(end, this.#bytes.length * 2)));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
    }
    const bytes = this.#bytes;
    if (to - from > 64) bytes.set(source.subarray(from, to), start);
    else for (let at = from, mine = start; at < to; at++, mine++) bytes[mine] = source[at]!;
    this.#hashes[this.#count] = hash;
    this.#ends[this.#count] = end;
    this.#count += 1;
  }

  #grow(): void {
    const slots = this.#slotCount * 2;
    if (slots > this.#slots.length) {
      this.#slots = new Int32Array(slots);
      this.#hashes = enlarge(this.#hashes, slots);
      this.#ends = enlarge(this.#ends, slots);
    } else {
      this.#slots.fill(0, 0, slots);
    }
    this.#slotCount = slots;
    for (let element = 0; element < this.#count; element++) {
      let slot = this.#hashes[element]! & (slots - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (slots - 1);
      this.#slots[slot] = element + 1;
    }
  }
}

function enlarge(old: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}

/** FNV-1a, then the finish of MurmurHash3 so that the low bits depend on all. */
function hashOf(source: Uint8Array, from: number, to: number): number {
  let hash = 0x811c_9dc5 | 0;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ source[at]!, 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
