import { Gather } from './gather.ts';
import { decompressLzf, decompressLzfPrefix, lzfExpansion } from './lzf.ts';
import { RdbError } from './rdb-handler.ts';
import { ascii } from './ascii.ts';
import { encoded, encodings, more, type Window } from './window.ts';

/** Bytes by which the last part of an LZF string that is needed may reach beyond what is needed of it. */
const longestToken = 4;

/** Reads one string as its plain bytes, up to a limit: keys, names, texts. */
export class StringReader {
  readonly #window: Window;
  readonly #gather: Gather;
  readonly #limit: number;
  /** Header read, bytes not yet: its length as stored; -1 before. */
  #stored = -1;
  #compressed = false;
  /** The string is `bytes[from … to)`, cut at the limit; valid until the window is left: see `keep`. */
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  to = 0;
  /** Its whole length. */
  length = 0;

  constructor(window: Window, limit: number) {
    this.#window = window;
    this.#gather = new Gather(window);
    this.#limit = limit;
  }

  /** True when the string has been read; false when the window ends before: call again with the next. */
  read(): boolean {
    if (this.#stored < 0 && !this.#header()) return false;
    if (this.#stored < 0) return true;
    const kept = this.#compressed
      ? Math.min(this.#stored, 2 * this.#limit + longestToken)
      : Math.min(this.#stored, this.#limit);
    const taken = this.#gather.take(kept);
    if (taken === undefined) return false;
    this.#window.at += this.#stored - kept;
    this.#stored = -1;
    this.#show(this.#compressed ? this.#decompress(taken) : taken);
    return true;
  }

  /** Before the window goes: the string must outlive it. */
  keep(): void {
    if (this.bytes === this.#window.bytes) this.#show(this.bytes.slice(this.from, this.to));
  }

  #header(): boolean {
    const window = this.#window;
    const before = window.at;
    const length = window.length();
    if (length === more) return false;
    if (length >= 0) {
      this.length = length;
      if (length <= this.#limit && window.has(length)) {
        this.bytes = window.bytes;
        this.from = window.at;
        this.to = window.at += length;
        return true;
      }
      this.#stored = length;
      this.#compressed = false;
      return true;
    }
    const kind = encoded - length;
    const done = kind === encodings.lzf ? this.#lzf() : this.#integer(kind);
    if (!done) window.at = before;
    return done;
  }

  #lzf(): boolean {
    const stored = this.#window.count();
    const plain = stored === more ? more : this.#window.count();
    if (plain === more) return false;
    if (stored === 0 || plain === 0 || plain > stored * lzfExpansion)
      throw new RdbError('damaged', `${stored} compressed bytes cannot become ${plain}`);
    this.#stored = stored;
    this.#compressed = true;
    this.length = plain;
    return true;
  }

  #integer(kind: number): boolean {
    if (kind > encodings.int32) throw new RdbError('unknown', `a string of the unknown encoding ${kind}`);
    const bytes = 1 << kind;
    if (!this.#window.has(bytes)) return false;
    const text = ascii(String(this.#window.signed(bytes)));
    this.length = text.length;
    this.#show(text.subarray(0, this.#limit));
    return true;
  }

  #decompress(taken: Uint8Array): Uint8Array {
    if (this.length <= this.#limit) return decompressLzf(taken, this.length);
    const target = new Uint8Array(this.#limit);
    return target.subarray(0, decompressLzfPrefix(taken, target));
  }

  #show(bytes: Uint8Array): void {
    // A view's own buffer may be the window's: what is shown then is still its own object, which `keep` must see.
    this.bytes = bytes.buffer === this.#window.bytes.buffer ? this.#window.bytes : bytes;
    this.from = this.bytes === bytes ? 0 : bytes.byteOffset - this.#window.bytes.byteOffset;
    this.to = this.from + bytes.length;
  }
}
