import { RdbError } from '../rdb-handler.ts';
import type { Packing } from '../value-types.ts';

const none = new Uint8Array(0);
/** -9223372036854775808 has 20 bytes. */
const longestInteger = 20;
const minus = 0x2d;
const zero = 0x30;

/**
 * Reads the entries of one packed value, one after the other, and checks everything on the way: when `next` has
 * returned false, lengths, counts and the end were right. One reader is used for many values.
 */
export abstract class PackedReader {
  /** Where the entry is: `source[from … to)`. Of an integer only after `bytes` or `locate`. */
  source: Uint8Array = none;
  from = 0;
  to = 0;
  /** The entry is held as an integer: `value`, or `large` where that is beyond 2^53. */
  isInteger = false;
  value = 0;
  large: bigint | undefined;

  protected data: Uint8Array = none;
  protected view: DataView = new DataView(none.buffer);
  /** Where the next entry starts. */
  protected at = 0;
  /** How many entries have been read. */
  protected seen = 0;
  readonly #digits = new Uint8Array(longestInteger);

  abstract readonly packing: Packing;

  /** Starts on `data`, which is not copied. Throws RdbError when its header is wrong. */
  open(data: Uint8Array): void {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.length);
    this.seen = 0;
    this.readHeader();
  }

  /** Moves to the next entry; false after the last one. Throws RdbError on any damage. */
  abstract next(): boolean;

  /** The entry as Redis hands it out: an integer as its decimal digits. Valid until the next call. */
  bytes(): Uint8Array {
    this.locate();
    return this.source.subarray(this.from, this.to);
  }

  /** Makes `source`, `from` and `to` those of the entry's bytes also where it is an integer. */
  locate(): void {
    if (!this.isInteger) return;
    this.source = this.#digits;
    if (this.large === undefined) this.#writeNumber(this.value);
    else this.#writeText(String(this.large));
  }

  /** Makes an entry that is held as text an integer, if it is one of 64 bits: the servers take both alike. */
  toInteger(): boolean {
    if (this.isInteger) return true;
    if (this.to - this.from > longestInteger) return false;
    const text = String.fromCharCode(...this.source.subarray(this.from, this.to));
    if (!/^(?:0|-?[1-9]\d*)$/.test(text)) return false;
    const value = BigInt(text);
    if (BigInt.asIntN(64, value) !== value) return false;
    this.isInteger = true;
    this.value = Number(value);
    this.large = Number.isSafeInteger(this.value) ? undefined : value;
    return true;
  }

  protected abstract readHeader(): void;

  protected setBytes(from: number, to: number): void {
    this.isInteger = false;
    this.source = this.data;
    this.from = from;
    this.to = to;
    this.seen += 1;
  }

  protected setInteger(value: number): void {
    this.isInteger = true;
    this.value = value;
    this.large = undefined;
    this.seen += 1;
  }

  /** A signed 64-bit integer at `at`. */
  protected setInteger64(at: number): void {
    const high = this.view.getInt32(at + 4, true);
    const small = high >= -0x20_0000 && high < 0x20_0000;
    this.setInteger(high * 0x1_0000_0000 + this.view.getUint32(at, true));
    if (!small) this.large = this.view.getBigInt64(at, true);
  }

  /** A signed 24-bit integer at `at`. */
  protected setInteger24(at: number): void {
    this.setInteger(((this.view.getUint16(at, true) << 8) | (this.data[at + 2]! << 24)) >> 8);
  }

  protected damaged(detail: string): RdbError {
    return new RdbError(
      'damaged',
      `${this.packing === 'intset' ? 'an' : 'a'} ${this.packing} is damaged: ${detail}`,
    );
  }

  #writeNumber(value: number): void {
    const digits = this.#digits;
    let rest = Math.abs(value);
    let at = longestInteger;
    // A division of a 32-bit integer is several times as fast as one of a double.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 10)) digits[--at] = zero + (rest % 10);
    let small = rest | 0;
    do {
      const tenth = (small / 10) | 0;
      digits[--at] = zero + small - tenth * 10;
      small = tenth;
    } while (small > 0);
    if (value < 0) digits[--at] = minus;
    this.from = at;
    this.to = longestInteger;
  }

  #writeText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#digits[index] = text.charCodeAt(index);
    this.from = 0;
    this.to = text.length;
  }
}
