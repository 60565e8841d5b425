import { PackedReader } from './packed-reader.ts';

/** Total length in 4 bytes, number of entries in 2. */
const headerBytes = 6;
const endMark = 0xff;
/** As a number of entries: too many for two bytes, count them. */
const unknownCount = 0xffff;

/**
 * listpack (the servers' listpack.c): entries of an encoding byte, data, and the length of both once more, to be read
 * backwards.
 */
export class ListpackReader extends PackedReader {
  readonly packing = 'listpack';
  #entryAt = 0;

  /** Is the entry that was read last an integer of one byte? */
  get isSmall(): boolean {
    return this.data[this.#entryAt]! < 0x80;
  }

  override next(): boolean {
    const { data, at } = this;
    this.#entryAt = at;
    const end = data.length - 1; // where the end mark is
    if (at === end) return this.#finish();
    const head = data[at]!;
    let next: number;
    if (head < 0x80) {
      next = at + 1;
      this.setInteger(head);
    } else if (head < 0xc0) {
      next = at + 1 + (head & 0x3f);
      this.setBytes(at + 1, next);
    } else {
      next = this.#readLonger(head);
    }
    const length = next - at;
    if (length < 0x80 && next < end) {
      if (data[next] !== length) throw this.#wrongBackLength();
      this.at = next + 1;
    } else {
      this.at = this.#checkBackLength(next, length);
    }
    return true;
  }

  protected override readHeader(): void {
    const { data } = this;
    if (data.length <= headerBytes) throw this.damaged(`${data.length} bytes are too few`);
    const total = this.view.getUint32(0, true);
    if (total !== data.length)
      throw this.damaged(`it has ${data.length} bytes and not the ${total} of its header`);
    if (data[data.length - 1] !== endMark) throw this.damaged('its end mark is missing');
    this.at = headerBytes;
  }

  /** Every encoding of more than one byte before its data; returns where the entry's back length is. */
  #readLonger(head: number): number {
    const { data, view, at } = this;
    this.#need(at + 2);
    if (head < 0xe0) {
      this.setInteger(((((head & 0x1f) << 8) | data[at + 1]!) << 19) >> 19);
      return at + 2;
    }
    if (head < 0xf0) return this.#bytes(at + 2, ((head & 0x0f) << 8) | data[at + 1]!);
    switch (head) {
      case 0xf0:
        this.#need(at + 5);
        return this.#bytes(at + 5, view.getUint32(at + 1, true));
      case 0xf1:
        this.#need(at + 3);
        this.setInteger(view.getInt16(at + 1, true));
        return at + 3;
      case 0xf2:
        this.#need(at + 4);
        this.setInteger24(at + 1);
        return at + 4;
      case 0xf3:
        this.#need(at + 5);
        this.setInteger(view.getInt32(at + 1, true));
        return at + 5;
      case 0xf4:
        this.#need(at + 9);
        this.setInteger64(at + 1);
        return at + 9;
      default:
        throw this.damaged(`entry ${this.seen} has the unknown encoding 0x${head.toString(16)}`);
    }
  }

  #bytes(from: number, length: number): number {
    this.setBytes(from, from + length);
    return from + length;
  }

  /** Are there that many bytes before the end mark? */
  #need(end: number): void {
    if (end >= this.data.length) throw this.damaged(`entry ${this.seen} reaches past the end`);
  }

  /**
   * Seven bits a byte, the lowest last; all but the first have their high bit set. Returns the next entry's place.
   * The greatest length of so many bytes has one more, a zero, where the server is not Valkey 9.1 or later.
   */
  #checkBackLength(at: number, length: number): number {
    let bytes =
      length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5;
    if (bytes > 1 && bytes < 5 && length + 1 === 2 ** (7 * bytes) && this.data[at] === 0) bytes += 1;
    this.#need(at + bytes);
    for (let index = bytes - 1, rest = length; index >= 0; index--, rest = Math.floor(rest / 0x80)) {
      if (this.data[at + index] !== ((rest & 0x7f) | (index === 0 ? 0 : 0x80))) throw this.#wrongBackLength();
    }
    return at + bytes;
  }

  #wrongBackLength(): Error {
    return this.damaged(`the length behind entry ${this.seen - 1} is not that of the entry`);
  }

  #finish(): false {
    const count = this.view.getUint16(4, true);
    if (count !== unknownCount && count !== this.seen)
      throw this.damaged(`it has ${this.seen} entries and not the ${count} of its header`);
    return false;
  }
}
