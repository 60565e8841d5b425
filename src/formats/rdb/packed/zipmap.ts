import { PackedReader } from './packed-reader.ts';

const endMark = 0xff;
/** As a length: it is in the next four bytes, and no smaller one is. As the number of pairs: count them. */
const long = 0xfe;

/**
 * zipmap (hashes of Redis before 2.6): the number of pairs, then keys and values with their lengths. A value's is
 * followed by how many unused bytes there are behind it.
 */
export class ZipmapReader extends PackedReader {
  readonly packing = 'zipmap';

  override next(): boolean {
    const { data, at } = this;
    if (at === data.length - 1) return this.#finish();
    const isValue = this.seen % 2 === 1;
    const first = data[at]!;
    if (first === endMark) throw this.damaged(`an end mark is before entry ${this.seen}`);
    let from = at + 1;
    if (first === long) from += 4;
    if (isValue) from += 1;
    this.#need(from);
    const length = first === long ? this.view.getUint32(at + 1, true) : first;
    // Servers expect the shorter form wherever it suffices, and end when it is not there.
    if (first === long && length < long)
      throw this.damaged(`entry ${this.seen} has a length of ${length} in the long form`);
    const to = from + length;
    const unused = isValue ? data[from - 1]! : 0;
    this.#need(to + unused);
    this.setBytes(from, to);
    this.at = to + unused;
    return true;
  }

  protected override readHeader(): void {
    const { data } = this;
    if (data.length < 2) throw this.damaged(`${data.length} bytes are too few`);
    if (data[data.length - 1] !== endMark) throw this.damaged('its end mark is missing');
    this.at = 1;
  }

  /** Are there that many bytes before the end mark? */
  #need(end: number): void {
    if (end >= this.data.length) throw this.damaged(`entry ${this.seen} reaches past the end`);
  }

  #finish(): false {
    const pairs = this.data[0]!;
    if (this.seen % 2 !== 0) throw this.damaged('its last key has no value');
    if (pairs !== long && pairs * 2 !== this.seen)
      throw this.damaged(`it has ${this.seen / 2} pairs and not the ${pairs} of its header`);
    return false;
  }
}
