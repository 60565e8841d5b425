import { releaseMemory } from '../../lib/memory/release-memory.ts';
import type { CommandWriter } from '../../redis/pipe/command-writer.ts';

/** A command of this many bytes or arguments goes: large enough to be quick, small enough to keep nobody waiting. */
const batchBytes = 64 * 1024;
const batchArguments = 1000;

/** Collects the arguments of one command, whose number must be known before its first byte is written. */
export class ArgumentBatch {
  #bytes = new Uint8Array(2 * batchBytes);
  #filled = 0;
  readonly #ends: number[] = [];

  get empty(): boolean {
    return this.#ends.length === 0;
  }

  get full(): boolean {
    return this.#filled >= batchBytes || this.#ends.length >= batchArguments;
  }

  /** Copies `bytes`. */
  add(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#filled));
      releaseMemory(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#filled);
    this.#filled = needed;
    this.#ends.push(needed);
  }

  /** Writes `command key …` and what was collected, which is empty then. */
  write(out: CommandWriter, command: Uint8Array, key: Uint8Array): void {
    out.start(2 + this.#ends.length, command.length + key.length + this.#filled);
    out.literal(command);
    out.argument(key);
    let from = 0;
    for (const end of this.#ends) {
      out.argument(this.#bytes, from, end);
      from = end;
    }
    this.clear();
  }

  clear(): void {
    this.#ends.length = 0;
    this.#filled = 0;
    if (this.#bytes.length <= 16 * batchBytes) return;
    releaseMemory(this.#bytes);
    this.#bytes = new Uint8Array(2 * batchBytes);
  }
}
