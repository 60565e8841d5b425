import { createFolder, segmentBytes, type Folder } from './crc64-fold.ts';
import { updateByTable, type Crc64State } from './crc64-table.ts';

/** Shorter streams are not worth the 32 KiB that folding leaves for the table to reduce. */
const foldFrom = 128 * 1024;

/**
 * CRC64 as RDB trailers hold it: Jones polynomial, reflected, initial value 0, no final XOR. Takes any number of
 * bytes in any chunks; folds long streams at memory speed and falls back to tables where it cannot.
 */
export class Crc64 {
  /** The register after everything that went through the table. */
  readonly #state: Crc64State = { low: 0, high: 0 };
  #seen = 0;
  #portable: boolean;
  #folder: Folder | undefined;
  /** Bytes in the folder's segment that are not folded yet. */
  #pending = 0;

  /** `portable: true` never folds: for cross checks. */
  constructor(options: { portable?: boolean } = {}) {
    this.#portable = options.portable ?? false;
  }

  /** Does not keep `bytes`. */
  update(bytes: Uint8Array): this {
    this.#seen += bytes.length;
    if (this.#folder !== undefined) {
      this.#fold(this.#folder, bytes);
    } else if (this.#portable || this.#seen < foldFrom || bytes.length < 8) {
      updateByTable(this.#state, bytes);
    } else {
      this.#folder = createFolder();
      if (this.#folder === undefined) {
        this.#portable = true;
        updateByTable(this.#state, bytes);
      } else {
        this.#fold(this.#folder, this.#seed(bytes.subarray(0, 8)));
        this.#fold(this.#folder, bytes.subarray(8));
      }
    }
    return this;
  }

  /** Begins anew, and keeps what was dear to make. */
  reset(): this {
    this.#state.low = 0;
    this.#state.high = 0;
    this.#seen = 0;
    this.#pending = 0;
    this.#folder?.reset();
    return this;
  }

  /** Writes the value so far where a trailer begins, little endian. */
  write(bytes: Uint8Array, at: number): void {
    const { low, high } = this.#result();
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
    view.setInt32(0, low, true);
    view.setInt32(4, high, true);
  }

  /** The value so far; more may follow. */
  digest(): bigint {
    const { low, high } = this.#result();
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  /** Are these 8 bytes (an RDB's trailer) the value so far, little endian? */
  equals(trailer: Uint8Array): boolean {
    if (trailer.length !== 8) return false;
    const { low, high } = this.#result();
    const view = new DataView(trailer.buffer, trailer.byteOffset, 8);
    return view.getInt32(0, true) === low && view.getInt32(4, true) === high;
  }

  /** A fold starts from zero: what came before is carried into the next 8 bytes instead, which is the same. */
  #seed(bytes: Uint8Array): Uint8Array {
    const seeded = Uint8Array.from(bytes); // not slice(): a Buffer's shares memory
    const view = new DataView(seeded.buffer);
    view.setInt32(0, view.getInt32(0, true) ^ this.#state.low, true);
    view.setInt32(4, view.getInt32(4, true) ^ this.#state.high, true);
    return seeded;
  }

  #fold(folder: Folder, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + segmentBytes - this.#pending);
      folder.segment.set(part, this.#pending);
      this.#pending += part.length;
      at += part.length;
      if (this.#pending === segmentBytes) {
        folder.fold();
        this.#pending = 0;
      }
    }
  }

  #result(): Crc64State {
    if (this.#folder === undefined) return this.#state;
    const state = { low: 0, high: 0 };
    updateByTable(state, this.#folder.residue());
    updateByTable(state, this.#folder.segment.subarray(0, this.#pending));
    return state;
  }
}
