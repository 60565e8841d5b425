import { RdbError } from './rdb-handler.ts';

/** `Window.length` and others: the window ends before the token does. */
export const more = -1;
/** `Window.length` of a string that is not stored as its bytes: `encoded - kind`, see `encodings`. */
export const encoded = -2;
/** Kinds of encoded strings: integers of 1, 2 and 4 bytes, and LZF. */
export const encodings = { int8: 0, int16: 1, int32: 2, lzf: 3 } as const;

const twoTo32 = 2 ** 32;

/**
 * The bytes at hand, and the place in them. Reading past what is to be skipped only moves `at`, which may then lie
 * beyond `end`: so a skip over many chunks costs nothing. Tokens are read whole or not at all.
 */
export class Window {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Bytes that may be read. */
  end = 0;
  /** Where reading pauses: `end`, or sooner where the bytes after it come in another window too. */
  stop = 0;
  /** Where in the file `bytes[0]` is. */
  base = 0;

  /** Shows `bytes`, which begin at `base` in the file. */
  show(bytes: Uint8Array, base: number, at: number, stop = bytes.length): void {
    // A Buffer's subarray takes several times as long, and whoever reads both kinds is compiled for neither.
    this.bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.base = base;
    this.at = at;
    this.end = bytes.length;
    this.stop = stop;
  }

  /** Where in the file reading is. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Are `count` more bytes at hand? */
  has(count: number): boolean {
    return this.at + count <= this.end;
  }

  /**
   * Reads a length: 0 … 2^53; `more` with nothing read; or `encoded - kind` for an encoded string, whose kind was then
   * read. Throws where it is greater than anything a file can hold.
   */
  length(): number {
    const { bytes, at } = this;
    if (at >= this.end) return more;
    const first = bytes[at]!;
    if (first < 0x40) {
      this.at = at + 1;
      return first;
    }
    if (first < 0x80) {
      if (at + 2 > this.end) return more;
      this.at = at + 2;
      return ((first & 0x3f) << 8) | bytes[at + 1]!;
    }
    if (first >= 0xc0) {
      this.at = at + 1;
      return encoded - (first & 0x3f);
    }
    return this.#longLength(first);
  }

  #longLength(first: number): number {
    const { bytes, at } = this;
    if (first === 0x80) {
      if (at + 5 > this.end) return more;
      this.at = at + 5;
      return bigEndian32(bytes, at + 1);
    }
    if (first !== 0x81) throw new RdbError('damaged', `a length begins with 0x${first.toString(16)}`);
    if (at + 9 > this.end) return more;
    const high = bigEndian32(bytes, at + 1);
    if (high >= 2 ** 21) throw new RdbError('damaged', 'a length of more than 2^53');
    this.at = at + 9;
    return high * twoTo32 + bigEndian32(bytes, at + 5);
  }

  /** A number that is stored like a length but may have all 64 bits; `more` with nothing read. */
  number(): number | bigint {
    const { bytes, at } = this;
    if (at >= this.end) return more;
    if (bytes[at] === 0x81) {
      if (at + 9 > this.end) return more;
      this.at = at + 9;
      const high = bigEndian32(bytes, at + 1);
      const low = bigEndian32(bytes, at + 5);
      return high < 2 ** 21 ? high * twoTo32 + low : (BigInt(high) << 32n) | BigInt(low);
    }
    const value = this.length();
    if (value <= encoded) throw new RdbError('damaged', 'a string stands where a number should be');
    return value;
  }

  /** A length that no encoded string may stand for; `more` with nothing read. */
  count(): number {
    const value = this.length();
    if (value <= encoded) throw new RdbError('damaged', 'a string stands where a length should be');
    return value;
  }

  /** A signed integer of 1, 2 or 4 bytes, little endian; the caller has asked `has(size)`. */
  signed(size: number): number {
    const { bytes, at } = this;
    this.at = at + size;
    if (size === 1) return (bytes[at]! << 24) >> 24;
    if (size === 2) return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
    return littleEndian32(bytes, at);
  }

  /** Little endian and signed, exact up to 2^53; the caller has asked `has(8)`. */
  int64(): number {
    const low = littleEndian32(this.bytes, this.at) >>> 0;
    const high = littleEndian32(this.bytes, this.at + 4);
    this.at += 8;
    return high * twoTo32 + low;
  }
}

function bigEndian32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function littleEndian32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
