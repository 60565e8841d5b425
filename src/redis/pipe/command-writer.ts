import { releaseMemory } from '../../lib/memory/release-memory.ts';

/** Large enough that the cost of a write to the socket is spread over many commands, small enough to stay in the cache. */
const blockBytes = 256 * 1024;
/** Blocks that are kept for the next commands; more of them exist only while the server is behind. */
const keptBlocks = 64;
/** `$<length>\r\n` and the line end behind the bytes; also a whole number with both. */
const perArgument = 48;
/** Room for what follows a long argument: its line end and a few short ones. */
const behindLong = 1024;
/** A call for a shorter copy costs more than the copy. */
const shortCopy = 40;

/** A literal argument or command name as it goes over the wire, made once. */
export function encodedArgument(argument: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(argument);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

/**
 * Writes commands in Redis's protocol into blocks that are used again and again. A command that is larger than a
 * block gets a block of its own, and only one with a `long` argument spans several.
 */
export class CommandWriter {
  /** Only up to the next `start`: what a caller writes into directly. */
  bytes: Uint8Array = Buffer.allocUnsafeSlow(blockBytes);
  at = 0;
  /** Where the command that is being written begins. */
  begun = 0;
  /** Of it, in blocks that are full. */
  #before = 0;
  readonly #full: Uint8Array[] = [];
  readonly #free: Uint8Array[] = [];

  /** Begins a command of `count` arguments, whose bytes are at most `bound` in all. */
  start(count: number, bound: number): void {
    const needed = bound + (count + 1) * perArgument;
    if (this.at + needed > this.bytes.length) this.#next(needed);
    this.begun = this.at;
    this.#before = 0;
    this.bytes[this.at++] = 0x2a;
    this.#digits(count);
    this.lineEnd();
  }

  /** An argument from `encodedArgument`. */
  literal(encoded: Uint8Array): void {
    this.raw(encoded, 0, encoded.length);
  }

  argument(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.head(to - from);
    this.raw(bytes, from, to);
    this.lineEnd();
  }

  /** A long one, not in the bound given to `start`: goes over as many blocks as it takes. Only short ones may follow. */
  long(bytes: Uint8Array): void {
    this.head(bytes.length);
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + this.bytes.length - this.at);
      this.raw(bytes, from, to);
      from = to;
      if (from < bytes.length) this.#turn(0);
    }
    this.#turn(behindLong);
    this.lineEnd();
  }

  /** How many bytes the command has so far. */
  get written(): number {
    return this.#before + this.at - this.begun;
  }

  /** A whole number, exact up to 2^53. */
  integer(value: number): void {
    const digits = countDigits(value);
    this.head(digits);
    this.#digits(value, digits);
    this.lineEnd();
  }

  /** Announces an argument that is written by `raw` or directly, and ended by `lineEnd`. */
  head(length: number): void {
    this.bytes[this.at++] = 0x24;
    this.#digits(length);
    this.lineEnd();
  }

  raw(bytes: Uint8Array, from: number, to: number): void {
    if (to - from > shortCopy) {
      this.bytes.set(bytes.subarray(from, to), this.at);
      this.at += to - from;
      return;
    }
    const target = this.bytes;
    let at = this.at;
    for (let each = from; each < to; each++) target[at++] = bytes[each]!;
    this.at = at;
  }

  lineEnd(): void {
    this.bytes[this.at++] = 0x0d;
    this.bytes[this.at++] = 0x0a;
  }

  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  /** The blocks that are full, and with `all` the one that is being written; each comes back by `release`. */
  take(all: boolean): Uint8Array[] {
    if (all && this.at > 0) this.#next(0);
    return this.#full.splice(0);
  }

  /** Gives a block back that nobody reads any more. */
  release(block: Uint8Array): void {
    if (block.buffer.byteLength !== blockBytes) releaseMemory(block);
    else if (this.#free.length < keptBlocks) this.#free.push(new Uint8Array(block.buffer));
  }

  /** Goes on in another block where this one has no room for `needed` bytes. */
  #turn(needed: number): void {
    if (this.at + needed < this.bytes.length) return;
    this.#before = this.written;
    this.begun = 0;
    this.#next(needed);
  }

  #next(needed: number): void {
    if (this.at > 0) this.#full.push(this.bytes.subarray(0, this.at));
    else if (this.bytes.length === blockBytes) this.#free.push(this.bytes);
    this.bytes =
      needed > blockBytes
        ? Buffer.allocUnsafeSlow(needed)
        : (this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes));
    this.at = 0;
  }

  #digits(value: number, digits = countDigits(value)): void {
    const end = this.at + digits;
    let rest = value;
    if (rest < 0) {
      this.bytes[this.at] = 0x2d;
      rest = -rest;
    }
    let at = end;
    do {
      // The quotient of what does not fit 32 bits is taken exactly too: below 2^53 the division's error is below 1/10.
      const quotient = rest < 0x7fffffff ? (rest / 10) | 0 : Math.floor(rest / 10);
      this.bytes[--at] = 0x30 + (rest - quotient * 10);
      rest = quotient;
    } while (rest > 0);
    this.at = end;
  }
}

function countDigits(value: number): number {
  let digits = value < 0 ? 2 : 1;
  for (let limit = 10, size = Math.abs(value); size >= limit; limit *= 10) digits++;
  return digits;
}
