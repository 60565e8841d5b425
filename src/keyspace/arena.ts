/** Where tables of numbers are made, all zeros: the heap, or the memory that the scanner's kernel shares. */
export interface Arena {
  doubles(length: number): Float64Array<ArrayBuffer>;
  integers(length: number): Int32Array<ArrayBuffer>;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

export const heap: Arena = {
  doubles: (length) => new Float64Array(length),
  integers: (length) => new Int32Array(length),
  bytes: (length) => new Uint8Array(length),
};

const alignment = 16;

/** Tables one after the other in one buffer, from `start` to `end`. Throws a RangeError where there is no more room. */
export class BufferArena implements Arena {
  readonly #buffer: ArrayBuffer;
  readonly #end: number;
  #free: number;

  constructor(buffer: ArrayBuffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#free = start;
    this.#end = end;
  }

  doubles(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#buffer, this.#take(length * 8), length);
  }

  integers(length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#buffer, this.#take(length * 4), length);
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, this.#take(length), length);
  }

  #take(bytes: number): number {
    const at = Math.ceil(this.#free / alignment) * alignment;
    this.#free = at + bytes;
    if (this.#free > this.#end)
      throw new RangeError(`tables end at ${this.#free} and have ${this.#end} bytes`);
    return at;
  }
}
