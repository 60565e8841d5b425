import { PackedReader } from './packed-reader.ts';

/** Total length in 4 bytes, where the last entry starts in 4, number of entries in 2. */
const headerBytes = 10;
const endMark = 0xff;
/** As the first byte of an entry: the length of the one before takes four more bytes. */
const longPrevious = 0xfe;
const unknownCount = 0xffff;

/** ziplist (the servers' ziplist.c until 7.0): entries of the previous one's length, an encoding byte, and data. */
export class ZiplistReader extends PackedReader {
  readonly packing = 'ziplist';
  /** Where the entry before starts; its length is `at` less this. */
  #previous = headerBytes;

  override next(): boolean {
    const { data, at } = this;
    if (at === data.length - 1) return this.#finish();
    const head = this.#checkPrevious(at);
    this.#need(head + 1);
    const encoding = data[head]!;
    this.#previous = at;
    this.at = encoding < 0xc0 ? this.#readBytes(head, encoding) : this.#readInteger(head, encoding);
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
    this.#previous = headerBytes;
  }

  /** Returns where the encoding is. A short length in the long form is right: the servers leave it when they shrink. */
  #checkPrevious(at: number): number {
    const { data, view } = this;
    const first = data[at]!;
    if (first === endMark) throw this.damaged(`an end mark is before entry ${this.seen}`);
    if (first === longPrevious) this.#need(at + 5);
    const length = first === longPrevious ? view.getUint32(at + 1, true) : first;
    if (length !== at - this.#previous)
      throw this.damaged(`entry ${this.seen} does not have the length of the one before`);
    return first === longPrevious ? at + 5 : at + 1;
  }

  #readBytes(head: number, encoding: number): number {
    const { data, view } = this;
    if (encoding < 0x40) return this.#bytes(head + 1, encoding);
    if (encoding < 0x80) {
      this.#need(head + 2);
      return this.#bytes(head + 2, ((encoding & 0x3f) << 8) | data[head + 1]!);
    }
    this.#need(head + 5);
    return this.#bytes(head + 5, view.getUint32(head + 1, false)); // the only big-endian number of the format
  }

  #bytes(from: number, length: number): number {
    this.#need(from + length);
    this.setBytes(from, from + length);
    return from + length;
  }

  #readInteger(head: number, encoding: number): number {
    const from = head + 1;
    const size = integerBytes(encoding);
    if (size === undefined)
      throw this.damaged(`entry ${this.seen} has the unknown encoding 0x${encoding.toString(16)}`);
    this.#need(from + size);
    if (size === 0) this.setInteger((encoding & 0x0f) - 1);
    else if (size === 1) this.setInteger(this.view.getInt8(from));
    else if (size === 2) this.setInteger(this.view.getInt16(from, true));
    else if (size === 3) this.setInteger24(from);
    else if (size === 4) this.setInteger(this.view.getInt32(from, true));
    else this.setInteger64(from);
    return from + size;
  }

  /** Are there that many bytes before the end mark? */
  #need(end: number): void {
    if (end >= this.data.length) throw this.damaged(`entry ${this.seen} reaches past the end`);
  }

  #finish(): false {
    const count = this.view.getUint16(8, true);
    if (count !== unknownCount && count !== this.seen)
      throw this.damaged(`it has ${this.seen} entries and not the ${count} of its header`);
    if (this.view.getUint32(4, true) !== this.#previous)
      throw this.damaged('its header does not have the place of the last entry');
    return false;
  }
}

/** 0: the value is in the encoding itself. */
function integerBytes(encoding: number): number | undefined {
  if (encoding === 0xc0) return 2;
  if (encoding === 0xd0) return 4;
  if (encoding === 0xe0) return 8;
  if (encoding === 0xf0) return 3;
  if (encoding === 0xfe) return 1;
  return encoding > 0xf0 && encoding < 0xfe ? 0 : undefined;
}
