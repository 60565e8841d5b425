/** More is not kept between elements. */
const usual = 64 * 1024;

/** Keeps a copy of bytes that are valid during a call only, until the next ones come. */
export class HeldBytes {
  #buffer = new Uint8Array(256);
  #length = 0;

  set(bytes: Uint8Array): void {
    if (bytes.length > this.#buffer.length || this.#buffer.length > usual)
      this.#buffer = new Uint8Array(Math.max(bytes.length, 256));
    this.#buffer.set(bytes);
    this.#length = bytes.length;
  }

  get(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
