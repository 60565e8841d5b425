/** Reads exact numbers of bytes from a stream of chunks of any size. Chunks may be reused by their producer. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** How many bytes have been read or skipped. */
  offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Copies bytes until `target` is full or the stream ends; returns how many. */
  async read(target: Uint8Array): Promise<number> {
    return await this.#advance(target.length, (part, at) => target.set(part, at));
  }

  /** Passes over `bytes` bytes; returns how many there were. */
  async skip(bytes: number): Promise<number> {
    return await this.#advance(bytes, () => {});
  }

  /** Releases the stream. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #advance(bytes: number, use: (part: Uint8Array, at: number) => void): Promise<number> {
    let done = 0;
    while (done < bytes) {
      if (this.#chunk.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) break;
        this.#chunk = next.value;
        continue;
      }
      const part = this.#chunk.subarray(0, bytes - done);
      use(part, done);
      done += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    this.offset += done;
    return done;
  }
}
