/** Commands that are not answered yet: for each a tag and its length in bytes. A ring that grows. */
export class TagQueue {
  #tags = new Float64Array(1024);
  #sizes = new Float64Array(1024);
  #from = 0;
  length = 0;
  /** Of all of them. */
  bytes = 0;

  push(tag: number, bytes: number): void {
    if (this.length === this.#tags.length) this.#grow();
    const at = (this.#from + this.length) & (this.#tags.length - 1);
    this.#tags[at] = tag;
    this.#sizes[at] = bytes;
    this.length++;
    this.bytes += bytes;
  }

  /** The oldest one's tag; there must be one. */
  shift(): number {
    const at = this.#from;
    this.#from = (at + 1) & (this.#tags.length - 1);
    this.length--;
    this.bytes -= this.#sizes[at]!;
    return this.#tags[at]!;
  }

  #grow(): void {
    const grow = (ring: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(2 * ring.length);
      larger.set(ring.subarray(this.#from));
      larger.set(ring.subarray(0, this.#from), ring.length - this.#from);
      return larger;
    };
    this.#tags = grow(this.#tags);
    this.#sizes = grow(this.#sizes);
    this.#from = 0;
  }
}
