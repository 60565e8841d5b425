/** Whole numbers of up to 53 bits in as few bytes as they need, seven bits each, with the sign in the last one. */
export class VarintWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  unsigned(value: number): void {
    let rest = value;
    this.#reserve(9);
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  signed(value: number): void {
    const negative = value < 0;
    const size = Math.abs(value);
    this.#reserve(9);
    // The sign and the low six bits first: twice 2^53 would not be a whole number any more.
    const high = Math.floor(size / 0x40);
    this.#bytes[this.#length++] = (high > 0 ? 0x80 : 0) | (negative ? 0x40 : 0) | (size % 0x40);
    if (high > 0) this.unsigned(high);
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads what the writer wrote; throws a RangeError beyond its end. */
export class VarintReader {
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#next();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  signed(): number {
    const first = this.#next();
    const size = (first & 0x3f) + (first >= 0x80 ? this.unsigned() * 0x40 : 0);
    return (first & 0x40) === 0 || size === 0 ? size : -size;
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('the chunk ends too early');
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError('the chunk ends too early');
    return byte;
  }
}
