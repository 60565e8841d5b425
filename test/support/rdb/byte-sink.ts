/** Gathers bytes. */
export class ByteSink {
  #buffer = Buffer.alloc(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of what is there, from `from` on. */
  take(from = 0): Buffer {
    return Buffer.from(this.#buffer.subarray(from, this.#length));
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }

  byte(...values: number[]): this {
    return this.bytes(Uint8Array.from(values));
  }

  /** A whole number of 1 to 8 bytes, in two's complement when it is negative. */
  integer(value: number | bigint, bytes: number, order: 'little' | 'big' = 'little'): this {
    const whole = Buffer.alloc(8);
    whole.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    const part = whole.subarray(0, bytes);
    return this.bytes(order === 'little' ? part : part.toReversed());
  }

  double(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.bytes(bytes);
  }
}

/** The whole number that a text stands for, where servers would keep it as one: `12`, not `012`, `+12` or `1e3`. */
export function integerOf(text: Uint8Array): bigint | undefined {
  if (text.length === 0 || text.length > 20) return undefined;
  const digits = Buffer.from(text).toString('latin1');
  if (!/^(?:0|-?[1-9]\d*)$/.test(digits)) return undefined;
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

export function fits(value: bigint, bits: number): boolean {
  return BigInt.asIntN(bits, value) === value;
}
