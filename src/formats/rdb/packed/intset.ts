import { PackedReader } from './packed-reader.ts';

/** Bytes of an integer in 4 bytes, number of integers in 4. */
const headerBytes = 8;

/** intset (the servers' intset.c): integers of 2, 4 or 8 bytes, strictly ascending. */
export class IntsetReader extends PackedReader {
  readonly packing = 'intset';
  #width = 0;
  #last = 0;
  #lastLarge: bigint | undefined;

  override next(): boolean {
    const { at, view } = this;
    if (at === this.data.length) return false;
    if (this.#width === 2) this.setInteger(view.getInt16(at, true));
    else if (this.#width === 4) this.setInteger(view.getInt32(at, true));
    else this.setInteger64(at);
    if (this.seen > 1 && !this.#ascends()) throw this.damaged(`its integer ${this.seen - 1} is out of order`);
    this.#last = this.value;
    this.#lastLarge = this.large;
    this.at = at + this.#width;
    return true;
  }

  protected override readHeader(): void {
    const { data, view } = this;
    if (data.length < headerBytes) throw this.damaged(`${data.length} bytes are too few`);
    this.#width = view.getUint32(0, true);
    if (![2, 4, 8].includes(this.#width)) throw this.damaged(`it has the unknown encoding ${this.#width}`);
    const total = headerBytes + view.getUint32(4, true) * this.#width;
    if (total !== data.length)
      throw this.damaged(`it has ${data.length} bytes and not the ${total} of its header`);
    this.at = headerBytes;
  }

  /** `value` is right to within rounding, so only where one is beyond 2^53 are the exact ones needed. */
  #ascends(): boolean {
    if (this.large === undefined && this.#lastLarge === undefined) return this.value > this.#last;
    return (this.large ?? BigInt(this.value)) > (this.#lastLarge ?? BigInt(this.#last));
  }
}
