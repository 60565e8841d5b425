import { releaseMemory } from '../../lib/memory/release-memory.ts';
import type { Window } from './window.ts';

/** A buffer that was needed once for something this long is not kept. */
const keptBytes = 1024 * 1024;

/**
 * Collects bytes that may lie in several windows. Grows with what has come and not with what was announced, so a
 * length that lies costs nothing.
 */
export class Gather {
  readonly #window: Window;
  #buffer = new Uint8Array(256);
  #filled = 0;

  constructor(window: Window) {
    this.#window = window;
  }

  /**
   * The next `bytes` bytes, once they have all come; undefined until then: call again with the next window. They are
   * valid until the next call.
   */
  take(bytes: number): Uint8Array | undefined {
    const window = this.#window;
    if (this.#filled === 0 && this.#buffer.length > keptBytes) this.#renew();
    if (this.#filled === 0 && window.has(bytes)) {
      window.at += bytes;
      return window.bytes.subarray(window.at - bytes, window.at);
    }
    if (window.at >= window.end) return undefined;
    const part = window.bytes.subarray(window.at, Math.min(window.end, window.at + bytes - this.#filled));
    this.#reserve(this.#filled + part.length);
    this.#buffer.set(part, this.#filled);
    this.#filled += part.length;
    window.at += part.length;
    if (this.#filled < bytes) return undefined;
    this.#filled = 0;
    return this.#buffer.subarray(0, bytes);
  }

  #renew(): void {
    releaseMemory(this.#buffer);
    this.#buffer = new Uint8Array(256);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#filled));
    releaseMemory(this.#buffer);
    this.#buffer = larger;
  }
}
