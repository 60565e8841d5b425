import { fixedFollowers, followersOf } from './file-grammar.ts';
import { lzfExpansion } from './lzf.ts';
import { opcode } from './opcode-reader.ts';
import { RdbError } from './rdb-handler.ts';
import { checksumSince, headerBytes, readRdbVersion, type Engine } from './rdb-version.ts';
import { GrammarWalk, op, type Grammar } from './value-grammar.ts';
import { nameOfUnreadable } from './value-types.ts';
import { encoded, encodings, more, Window } from './window.ts';

/** Gets a dump's bytes in their order, up to its end opcode. They are valid during the call only. */
export interface DumpParts {
  /** `bytes[from … to)` are anything else. */
  other(bytes: Uint8Array, from: number, to: number): void;
  /** `bytes[from … to)` are a compressed string of `plain` bytes, behind its header of `header` bytes. */
  compressed(bytes: Uint8Array, from: number, to: number, plain: number, header: number): void;
}

/**
 * Longer strings are not told from other bytes, since they are kept until they are whole; nor are those that become more
 * than so many times as long: a server decompresses them faster than it reads that much (the two were equal, measured).
 */
export const longestString = 1024 * 1024;
export const mostGrowth = 4;

/** How much is looked at at once, behind what was left before: small enough to be still in the processor's cache. */
export const pieceBytes = 128 * 1024;

/** An encoding and two lengths. */
const longestHeader = 1 + 9 + 9;
/** What the walk needs room for. */
export const roomBytes = longestString + longestHeader + pieceBytes;
const trailerBytes = 8;

/**
 * Walks over a dump that streams by, in any pieces and in bounded memory, and tells its compressed strings from all else.
 * What modules wrote is all else. A string's compressed bytes come whole, and are not looked at.
 */
export class CompressedStrings {
  readonly #parts: DumpParts;
  readonly #buffer: Uint8Array;
  readonly #window = new Window();
  readonly #walk = new GrammarWalk();
  #engine: Engine = 'redis';
  /** undefined before the header. */
  #followers: (Grammar | undefined)[] | undefined;
  /** The kind of container or of a module's part that was read; 0 before. */
  #kind = 0;
  /** Where in the window begins what was not handed over yet. */
  #from = 0;
  /** Bytes that were given to `update`. */
  #seen = 0;
  #ended = false;
  #trailer = new Uint8Array(trailerBytes);
  #trailed = 0;

  /** Looks at the dump in `room`, of `roomBytes`: `parts` gets places in it. */
  constructor(parts: DumpParts, room: Uint8Array = new Uint8Array(roomBytes)) {
    this.#parts = parts;
    this.#buffer = room;
  }

  /** At most `pieceBytes`, which are not kept. Throws an RdbError. */
  update(piece: Uint8Array): void {
    const [window, buffer] = [this.#window, this.#buffer];
    const before = this.#seen;
    this.#seen += piece.length;
    if (this.#ended) {
      this.#close(piece);
      return;
    }
    const [skip, rest] = [Math.max(0, window.at - window.end), Math.max(0, window.end - window.at)];
    buffer.copyWithin(0, window.at, window.at + rest);
    buffer.set(piece, rest);
    window.show(buffer.subarray(0, rest + piece.length), before - rest, skip);
    this.#from = 0;
    try {
      this.#run();
    } catch (error) {
      if (error instanceof RdbError) error.offset = window.offset;
      throw error;
    }
    this.#pass(Math.min(window.at, window.end));
    if (this.#ended) this.#close(window.bytes.subarray(window.at + 1));
  }

  /** Once, after the last piece: what stands behind the end opcode, a checksum or nothing. Throws an RdbError. */
  finish(): Uint8Array {
    if (!this.#ended || this.#trailed < this.#trailer.length)
      throw new RdbError('damaged', `it is truncated: it ends after ${this.#seen} bytes`, this.#seen);
    return this.#trailer;
  }

  #close(bytes: Uint8Array): void {
    const [trailer, from] = [this.#trailer, this.#trailed];
    this.#trailed += bytes.length;
    if (this.#trailed > trailer.length) throw new RdbError('damaged', 'bytes follow its end', this.#seen);
    trailer.set(bytes, from);
  }

  /** Hands over what is no compressed string, up to `to`. */
  #pass(to: number): void {
    if (this.#from < to) this.#parts.other(this.#window.bytes, this.#from, to);
    this.#from = to;
  }

  /** Until the window ends, or the dump. */
  #run(): void {
    const [window, walk] = [this.#window, this.#walk];
    while (window.at < window.end) {
      const { token } = walk;
      if (token === op.string && this.#shortStrings()) continue;
      if (!(token === op.end ? this.#begin() : this.#token(token))) return;
    }
  }

  /** What begins here: the dump, a key, what stands between keys. False at the end, and where the window ends before. */
  #begin(): boolean {
    const window = this.#window;
    if (this.#followers === undefined) return this.#header();
    const code = window.bytes[window.at]!;
    this.#ended = code === opcode.end;
    if (this.#ended) return false;
    const grammar = this.#followers[code];
    const bytes = fixedFollowers[code];
    if (grammar !== undefined) this.#walk.begin(grammar);
    else if (bytes === undefined)
      throw new RdbError(
        'unknown',
        nameOfUnreadable(this.#engine, code) ?? `${code} is no opcode and no type`,
      );
    window.at += 1 + (bytes ?? 0);
    return true;
  }

  #header(): boolean {
    const window = this.#window;
    if (!window.has(headerBytes)) return false;
    const found = readRdbVersion(window.bytes.subarray(window.at, window.at + headerBytes));
    if (found === undefined)
      throw new RdbError('damaged', 'it does not start with REDIS or VALKEY and a version');
    window.at += headerBytes;
    this.#engine = found.engine;
    this.#followers = followersOf(found.engine);
    if (found.version < checksumSince) this.#trailer = new Uint8Array(0);
    return true;
  }

  /** Strings with short headers, of which many values have thousands, without a call for each. False: there was none. */
  #shortStrings(): boolean {
    const [window, walk] = [this.#window, this.#walk];
    const { bytes, at: start } = window;
    // Both bytes of a header are at hand.
    const stop = window.end - 1;
    let at = start;
    while (at < stop && walk.token === op.string) {
      const length = bytes[at]!;
      if (length >= 0x80) break;
      at += length < 0x40 ? 1 + length : 2 + (((length & 0x3f) << 8) | bytes[at + 1]!);
      walk.step();
    }
    window.at = at;
    return at > start;
  }

  /** Reads past one token, or a part of one that has parts; false when the window ends before. */
  #token(token: number): boolean {
    const [window, walk] = [this.#window, this.#walk];
    switch (token) {
      case op.string:
      case op.packed:
        if (!this.#string(true)) return false;
        break;
      case op.number:
      case op.size:
        if (window.number() === more) return false;
        break;
      case op.bytes8:
        window.at += 8;
        break;
      case op.bytes16:
        window.at += 16;
        break;
      case op.text:
        this.#text();
        break;
      case op.count:
      case op.elements: {
        const count = window.count();
        if (count !== more) walk.open(count);
        return count !== more;
      }
      case op.container:
        return this.#container();
      default:
        return this.#module();
    }
    walk.step();
    return true;
  }

  #text(): void {
    const window = this.#window;
    const length = window.bytes[window.at]!;
    // From 253 on it stands for a number itself.
    window.at += length >= 253 ? 1 : 1 + length;
  }

  #container(): boolean {
    if (this.#kind === 0) {
      const kind = this.#window.count();
      if (kind === more) return false;
      if (kind !== 1 && kind !== 2) throw new RdbError('damaged', `a list node in container ${kind}`);
      this.#kind = kind;
      return true;
    }
    if (!this.#string(true)) return false;
    this.#kind = 0;
    this.#walk.step();
    return true;
  }

  /** A part's kind, then the part: integers, a float, a double, a string; 0 is the end. */
  #module(): boolean {
    const window = this.#window;
    if (this.#kind === 0) {
      const kind = window.count();
      if (kind === more) return false;
      if (kind > 5) throw new RdbError('damaged', `a module's value with a part of kind ${kind}`);
      if (kind === 0) this.#walk.step();
      this.#kind = kind;
      return true;
    }
    if (this.#kind === 3) window.at += 4;
    else if (this.#kind === 4) window.at += 8;
    else if (!(this.#kind === 5 ? this.#string(false) : window.number() !== more)) return false;
    this.#kind = 0;
    return true;
  }

  #string(told: boolean): boolean {
    const window = this.#window;
    const from = window.at;
    const length = window.length();
    if (length === more) return false;
    if (length >= 0) {
      window.at += length;
      return true;
    }
    const kind = encoded - length;
    if (kind > encodings.lzf) throw new RdbError('unknown', `a string of the unknown encoding ${kind}`);
    if (kind < encodings.lzf) {
      window.at += 1 << kind;
      return true;
    }
    const done = this.#compressed(from, told);
    if (!done) window.at = from;
    return done;
  }

  #compressed(from: number, told: boolean): boolean {
    const window = this.#window;
    const stored = window.count();
    const plain = stored === more ? more : window.count();
    if (plain === more) return false;
    if (stored === 0 || plain === 0 || plain > stored * lzfExpansion)
      throw new RdbError('damaged', `${stored} compressed bytes cannot become ${plain}`);
    const data = window.at;
    if (told && Math.max(stored, plain) <= longestString && plain <= stored * mostGrowth) {
      if (!window.has(stored)) return false;
      this.#pass(from);
      this.#parts.compressed(window.bytes, data, data + stored, plain, data - from);
      this.#from = data + stored;
    }
    window.at = data + stored;
    return true;
  }
}
