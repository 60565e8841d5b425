import { releaseMemory } from '../../lib/memory/release-memory.ts';
import type { Window } from './window.ts';

/** A buffer that was needed for something longer is not kept. */
const keptBytes = 8 * 1024 * 1024;

/** Keeps a value's bytes as they are in the file, over any number of windows. */
export class RawValue {
  readonly #window: Window;
  readonly #limit: number;
  #wanted = false;
  /** Where in the file the next byte to be kept is. */
  #next = 0;
  #kept = new Uint8Array(0);
  #filled = 0;

  constructor(window: Window, limit: number) {
    this.#window = window;
    this.#limit = limit;
  }

  /** The value begins where the window stands. */
  begin(wanted: boolean): void {
    this.#wanted = wanted;
    this.#next = this.#window.offset;
    this.#filled = 0;
    if (this.#kept.length > keptBytes) this.#drop();
  }

  /** Before the window goes: keeps what is read of it. */
  leave(): void {
    if (this.#wanted) this.#keep();
  }

  /** Have the bytes come that were read past? */
  get complete(): boolean {
    return !this.#wanted || this.#window.at <= this.#window.end;
  }

  /** The value ends where the window stands. null: longer than the limit; undefined: not wanted. */
  end(): Uint8Array | null | undefined {
    if (!this.#wanted) return undefined;
    this.#wanted = false;
    const { bytes, base, at } = this.#window;
    if (this.#filled === 0 && at - (this.#next - base) <= this.#limit)
      return bytes.subarray(this.#next - base, at);
    this.#keep();
    return this.#filled > this.#limit ? null : this.#kept.subarray(0, this.#filled);
  }

  #drop(): void {
    releaseMemory(this.#kept);
    this.#kept = new Uint8Array(0);
  }

  #keep(): void {
    const { bytes, base, at, end } = this.#window;
    const part = bytes.subarray(this.#next - base, Math.min(at, end));
    this.#next += part.length;
    const filled = this.#filled + part.length;
    if (filled > this.#limit) this.#drop();
    else {
      if (filled > this.#kept.length) {
        const larger = new Uint8Array(Math.min(this.#limit, Math.max(filled, 2 * this.#kept.length)));
        larger.set(this.#kept.subarray(0, this.#filled));
        releaseMemory(this.#kept);
        this.#kept = larger;
      }
      this.#kept.set(part, this.#filled);
    }
    this.#filled = filled;
  }
}
