/** Read by place, as a FileHandle is. */
export interface ReadByPlace extends AsyncDisposable {
  read(buffer: Uint8Array, offset: number, length: number, at: number): Promise<{ bytesRead: number }>;
}

const readBytes = 1024 * 1024;

/**
 * Reads a file while somebody else writes it: no further than its writer says, and to the end that its writer tells. So
 * neither waits for the other, and no more than one read is held in memory.
 */
export class FileTail {
  readonly #open: () => Promise<ReadByPlace>;
  #written = 0;
  #end: { failure?: unknown } | undefined;
  #news = Promise.withResolvers<void>();

  /** Opens the file for reading; called when something is there to be read. */
  constructor(open: () => Promise<ReadByPlace>) {
    this.#open = open;
  }

  /** That many bytes more are in the file. */
  wrote(bytes: number): void {
    this.#written += bytes;
    this.#tell();
  }

  /** Nothing more comes. */
  end(): void {
    this.#end ??= {};
    this.#tell();
  }

  /** Nothing more comes, and what came is not to be used: that is what a read throws from now on. */
  fail(failure: unknown): void {
    this.#end ??= { failure };
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** From the start. A chunk is valid until the next one is asked for. */
  async *read(): AsyncGenerator<Uint8Array, void, void> {
    if (!(await this.#reaches(0))) return;
    await using file = await this.#open();
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    for (let at = 0; await this.#reaches(at);) {
      const length = Math.min(buffer.length, this.#written - at);
      const { bytesRead } = await file.read(buffer, 0, length, at);
      if (bytesRead === 0) throw new Error(`the file ends at ${at} bytes of ${this.#written}`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Is there a byte at that place? Waits until one is, or none will be. */
  async #reaches(at: number): Promise<boolean> {
    for (;;) {
      if (this.#end !== undefined && 'failure' in this.#end) throw this.#end.failure;
      if (at < this.#written) return true;
      if (this.#end !== undefined) return false;
      await this.#news.promise;
    }
  }
}
