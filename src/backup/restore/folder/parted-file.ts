import type { StagedFile } from '../../../lib/files/staged-file.ts';

/** What goes over at a time: a message for each small chunk would take longer than what is in it. */
const partBytes = 1024 * 1024;

/** A file that somebody else writes for us. */
interface FarFile {
  write: (bytes: Uint8Array) => Promise<void>;
  finish: (durable: boolean) => Promise<void>;
  close: () => Promise<void>;
}

/** Hands over what is written in large parts: one is on its way while the next one fills. */
export class PartedFile implements StagedFile {
  readonly #file: FarFile;
  #part = Buffer.allocUnsafeSlow(partBytes);
  #other = Buffer.allocUnsafeSlow(partBytes);
  #filled = 0;
  #there = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(file: FarFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<number> {
    for (let at = 0; at < bytes.length;) {
      const some = bytes.subarray(at, at + partBytes - this.#filled);
      this.#part.set(some, this.#filled);
      this.#filled += some.length;
      at += some.length;
      if (this.#filled === partBytes) await this.#send();
    }
    return this.#there;
  }

  async finish(durable: boolean): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await this.#sent;
    await this.#file.finish(durable);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What failed was told to whoever wrote.
    await this.#sent.catch(() => {});
    await this.#file.close();
  }

  /** Resolves when the other part is free again; rejects where that could not be written. */
  async #send(): Promise<void> {
    await this.#sent;
    const bytes = this.#part.subarray(0, this.#filled);
    [this.#part, this.#other] = [this.#other, this.#part];
    this.#filled = 0;
    this.#sent = this.#file.write(bytes).then(() => void (this.#there += bytes.length));
    this.#sent.catch(() => {});
  }
}
