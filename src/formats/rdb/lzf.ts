import { RdbError } from './rdb-handler.ts';
import type { Window } from './window.ts';

/**
 * LZF as the servers compress strings with (their lzf_d.c). A control byte below 32 is followed by that many and one
 * literal bytes; any other copies from what has been decoded: its upper three bits are the length less 2 (7: another
 * byte is added), its lower five the high bits of the distance less 1, of which a byte with the low ones follows.
 */

/** Three bytes can copy 264 (7 + 255 + 2): nothing expands further. */
export const lzfExpansion = 88;

/** From here on copying natively is faster than byte by byte, measured. */
const nativeCopyFrom = 48;

/**
 * Decompresses `source`, which must give exactly `plainLength` bytes; throws RdbError otherwise. The result is the start
 * of `into` where that is given and large enough. A length that `source` cannot reach is refused before any allocation.
 */
export function decompressLzf(source: Uint8Array, plainLength: number, into?: Uint8Array): Uint8Array {
  if (!(plainLength <= source.length * lzfExpansion))
    throw damaged(`${source.length} bytes cannot hold the ${plainLength} that they announce`);
  const target =
    into !== undefined && into.length >= plainLength
      ? into.subarray(0, plainLength)
      : new Uint8Array(plainLength);
  new LzfDecoder().decode(source, 0, source.length, target, 0, plainLength);
  return target;
}

/**
 * Decompresses as much as fits in `target` and returns how many bytes that is: fewer where `source` ends before or is
 * damaged. For a look at the head of a packed value.
 */
export function decompressLzfPrefix(source: Uint8Array, target: Uint8Array): number {
  const decoder = new LzfDecoder();
  decoder.run(source, 0, source.length, target, 0, target.length);
  return decoder.written;
}

/** Decompresses from one buffer into another, in places of the caller's. */
export class LzfDecoder {
  /** Where the last run has stopped to read and to write, and why it did before an end. */
  read = 0;
  written = 0;
  problem: string | undefined;

  /** `source[from … sourceEnd)` must give exactly the bytes of `target[to … targetEnd)`; throws RdbError otherwise. */
  decode(
    source: Uint8Array,
    from: number,
    sourceEnd: number,
    target: Uint8Array,
    to: number,
    targetEnd: number,
  ): void {
    this.run(source, from, sourceEnd, target, to, targetEnd);
    if (this.problem !== undefined) throw damaged(this.problem);
    if (this.written !== targetEnd || this.read !== sourceEnd)
      throw damaged(`it does not give the ${targetEnd - to} bytes that it announces`);
  }

  /** Until the source ends, the target is full or something is wrong. */
  run(
    source: Uint8Array,
    start: number,
    sourceEnd: number,
    target: Uint8Array,
    first: number,
    targetEnd: number,
  ): void {
    let from = start;
    let to = first;
    this.problem = undefined;
    while (from < sourceEnd && to < targetEnd) {
      const control = source[from++]!;
      if (control < 32) {
        const wanted = control + 1;
        const end = Math.min(to + wanted, to + sourceEnd - from, targetEnd);
        const cut = end - to < wanted;
        while (to < end) target[to++] = source[from++]!;
        if (cut) {
          this.problem = 'a run of literal bytes reaches past an end';
          break;
        }
        continue;
      }
      let length = (control >> 5) + 2;
      if (length === 9 && from < sourceEnd) length += source[from++]!;
      if (from >= sourceEnd) {
        this.problem = 'it ends within a copy';
        break;
      }
      let back = to - ((control & 31) << 8) - source[from++]! - 1;
      if (back < first) {
        this.problem = 'a copy starts before the first byte';
        break;
      }
      const end = Math.min(to + length, targetEnd);
      const cut = end - to < length;
      if (length >= nativeCopyFrom && to - back >= length) {
        target.copyWithin(to, back, back + end - to);
        to = end;
      } else {
        while (to < end) target[to++] = target[back++]!;
      }
      if (cut) {
        this.problem = 'a copy reaches past the end';
        break;
      }
    }
    this.read = from;
    this.written = to;
  }
}

/**
 * Finds in a compressed string what decompressing it would find wrong, without writing a byte: for strings that are too long
 * to be held, in any number of windows.
 */
export class LzfWalk {
  #plain = 0;
  /** Compressed bytes to come, and literal ones among them. */
  #left = 0;
  #literals = 0;
  /** What decompressing would have written so far. */
  #written = 0;
  /** Of a copy that is begun: its control byte, or -1; and its length where another byte is added to that, or 0. */
  #copy = -1;
  #longer = 0;

  /** `stored` bytes follow, and must give `plain`. */
  begin(stored: number, plain: number): void {
    this.#plain = plain;
    this.#left = stored;
    this.#literals = 0;
    this.#written = 0;
    this.#copy = -1;
    this.#longer = 0;
  }

  /** True when all has been walked over; false when the window ends before. Throws an RdbError. */
  run(window: Window): boolean {
    while (this.#left > 0) {
      if (window.at >= window.end) return false;
      if (this.#literals > 0) this.#pass(window);
      else this.#byte(window.bytes[window.at++]!);
    }
    if (this.#copy >= 0) throw damaged('it ends within a copy');
    if (this.#literals > 0) throw damaged('a run of literal bytes reaches past an end');
    if (this.#written !== this.#plain) throw this.#wrongLength();
    return true;
  }

  #pass(window: Window): void {
    const bytes = Math.min(this.#literals, this.#left, window.end - window.at);
    window.at += bytes;
    this.#left -= bytes;
    this.#literals -= bytes;
  }

  #byte(byte: number): void {
    this.#left--;
    if (this.#copy < 0) {
      if (byte >= 32) this.#copy = byte;
      else this.#write((this.#literals = byte + 1));
    } else if (this.#copy >= 0xe0 && this.#longer === 0) this.#longer = 9 + byte;
    else {
      if (((this.#copy & 31) << 8) + byte >= this.#written)
        throw damaged('a copy starts before the first byte');
      this.#write(this.#longer === 0 ? (this.#copy >> 5) + 2 : this.#longer);
      this.#copy = -1;
      this.#longer = 0;
    }
  }

  #write(bytes: number): void {
    this.#written += bytes;
    if (this.#written > this.#plain) throw this.#wrongLength();
  }

  #wrongLength(): RdbError {
    return damaged(`it does not give the ${this.#plain} bytes that it announces`);
  }
}

function damaged(detail: string): RdbError {
  return new RdbError('damaged', `a compressed string is damaged: ${detail}`);
}
