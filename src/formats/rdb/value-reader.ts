import { ascii } from './ascii.ts';
import { Gather } from './gather.ts';
import { decompressLzf, lzfExpansion, LzfWalk } from './lzf.ts';
import { countByHead, countElements, headOf } from './packed-elements.ts';
import { RdbError, type RdbRecord, type TokenSink } from './rdb-handler.ts';
import { GrammarWalk, op, type Grammar } from './value-grammar.ts';
import { encoded, encodings, more, type Window } from './window.ts';

/** Entries from which on a packed value's head does not tell their number. */
const notInHead = 0xffff;

/**
 * Reads past a value by its grammar, pausing wherever the window ends. Learns sizes and counts; with a sink, hands over
 * every token.
 */
export class ValueReader {
  readonly #window: Window;
  readonly #record: RdbRecord;
  readonly #gather: Gather;
  readonly #lzf = new LzfWalk();
  readonly #stringLimit: number;
  readonly #byHead: typeof countByHead;
  #sink: TokenSink | null = null;
  readonly #walk = new GrammarWalk();
  /** A string whose header was read and whose bytes are wanted: stored and plain length; -1 for none. */
  #stored = -1;
  #plain = 0;
  #compressed = false;
  /** It cannot be held; what is compressed of it is looked at all the same. */
  #tooLong = false;
  /** The kind of container or of a module's part that was read; 0 before. */
  #kind = 0;

  constructor(window: Window, record: RdbRecord, stringLimit: number, count = countByHead) {
    this.#window = window;
    this.#record = record;
    this.#gather = new Gather(window);
    this.#stringLimit = stringLimit;
    this.#byHead = count;
  }

  /** Begins a value of the record's type, or a section that is read like one. */
  begin(grammar: Grammar, sink: TokenSink | null): void {
    const record = this.#record;
    this.#walk.begin(grammar);
    this.#sink = sink;
    record.elements = record.type.layout === 'string' ? 1 : 0;
    record.plainBytes = 0;
    record.strings = 0;
    record.longest = 0;
    record.integer = false;
  }

  /** Goes on; true when the value has ended, false when the window has. */
  run(): boolean {
    const window = this.#window;
    for (;;) {
      const { token } = this.#walk;
      if (token === op.string && this.#sink === null && this.#shortStrings()) continue;
      if (token === op.end) return true;
      if (window.at >= window.stop || !this.#token(token)) return false;
    }
  }

  /**
   * Skips strings with short headers, which many values have thousands of, without a call for each. False when there
   * was none.
   */
  #shortStrings(): boolean {
    const window = this.#window;
    const record = this.#record;
    const walk = this.#walk;
    const { bytes } = window;
    // Both bytes of a header are at hand.
    const stop = Math.min(window.stop, window.end - 1);
    const before = record.strings;
    let at = window.at;
    while (at < stop && walk.token === op.string) {
      let length = bytes[at]!;
      if (length >= 0x80) break;
      if (length >= 0x40) length = ((length & 0x3f) << 8) | bytes[++at]!;
      at += 1 + length;
      record.strings++;
      if (length > record.longest) record.longest = length;
      walk.step();
    }
    window.at = at;
    return record.strings > before;
  }

  /** Reads one token, or a part of one that has parts; false when the window ends before. */
  #token(token: number): boolean {
    switch (token) {
      case op.string:
        if (!this.#string(false)) return false;
        break;
      case op.packed:
        if (!this.#string(true)) return false;
        break;
      case op.count:
      case op.elements:
        return this.#count(token === op.elements);
      case op.number:
      case op.size:
        if (!this.#number(token === op.size)) return false;
        break;
      case op.bytes8:
        if (!this.#fixed(8)) return false;
        break;
      case op.bytes16:
        if (!this.#fixed(16)) return false;
        break;
      case op.text:
        if (!this.#text()) return false;
        break;
      case op.container:
        return this.#container();
      default:
        return this.#module();
    }
    this.#walk.step();
    return true;
  }

  #count(isSize: boolean): boolean {
    const count = this.#window.count();
    if (count === more) return false;
    if (isSize) this.#record.elements = count;
    this.#sink?.number(count);
    this.#walk.open(count);
    return true;
  }

  #number(isSize: boolean): boolean {
    const value = this.#window.number();
    if (value === more) return false;
    if (isSize) this.#record.elements = Number(value);
    this.#sink?.number(value);
    return true;
  }

  #fixed(bytes: 8 | 16): boolean {
    const window = this.#window;
    if (this.#sink === null) {
      window.at += bytes;
      return true;
    }
    const token = this.#gather.take(bytes);
    if (token === undefined) return false;
    if (bytes === 8) this.#sink.bytes8(token);
    else this.#sink.bytes16(token);
    return true;
  }

  #text(): boolean {
    const window = this.#window;
    const length = window.bytes[window.at]!;
    if (length >= 253) {
      window.at++;
      this.#sink?.string(ascii(length === 253 ? 'nan' : length === 254 ? 'inf' : '-inf'));
      return true;
    }
    if (!window.has(1 + length)) return false;
    if (length > this.#stringLimit) this.#sink?.skipped(length);
    else this.#sink?.string(window.bytes.subarray(window.at + 1, window.at + 1 + length));
    window.at += 1 + length;
    return true;
  }

  #container(): boolean {
    if (this.#kind === 0) {
      const kind = this.#window.count();
      if (kind === more) return false;
      if (kind !== 1 && kind !== 2) throw new RdbError('damaged', `a list node in container ${kind}`);
      this.#kind = kind;
      this.#sink?.number(kind);
      return true;
    }
    if (!this.#string(this.#kind === 2)) return false;
    if (this.#kind === 1) this.#record.elements++;
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
      this.#sink?.number(kind);
      if (kind === 0) this.#walk.step();
      this.#kind = kind;
      return true;
    }
    if (this.#kind === 3) window.at += 4;
    else if (
      !(this.#kind <= 2 ? this.#number(false) : this.#kind === 4 ? this.#fixed(8) : this.#string(false))
    )
      return false;
    this.#kind = 0;
    return true;
  }

  #string(packed: boolean): boolean {
    const [window, record] = [this.#window, this.#record];
    if (this.#stored >= 0) return this.#body(packed);
    const from = window.at;
    const length = window.length();
    if (length === more) return false;
    let stored = length;
    let plain = length;
    if (length < 0) {
      if (length !== encoded - encodings.lzf) return this.#integer(encoded - length, from);
      stored = window.count();
      plain = stored === more ? more : window.count();
      if (plain === more) {
        window.at = from;
        return false;
      }
      if (stored === 0 || plain === 0 || plain > stored * lzfExpansion)
        throw new RdbError('damaged', `${stored} compressed bytes cannot become ${plain}`);
    }
    this.#compressed = length < 0;
    this.#tooLong = Math.max(stored, plain) > this.#stringLimit;
    let wanted = this.#sink !== null;
    if (packed && (!wanted || this.#tooLong)) {
      const to = window.at + headOf(stored, this.#compressed);
      const whole = this.#compressed ? plain : 0;
      const count = to > window.end ? more : this.#byHead(record.type, window.bytes, window.at, to, whole);
      if (count === more) {
        window.at = from;
        return false;
      }
      // Too many to be noted in the head: all of it has to be looked at.
      if (count === undefined) wanted = true;
      record.elements += count ?? (this.#tooLong ? Math.floor(notInHead / record.type.entries) : 0);
    }
    record.strings++;
    record.plainBytes += plain - stored;
    if (plain > record.longest) record.longest = plain;
    if (!wanted) {
      window.at += stored;
      return true;
    }
    this.#stored = stored;
    this.#plain = plain;
    if (this.#tooLong) this.#lzf.begin(stored, plain);
    return this.#body(packed);
  }

  /** The bytes of a string that are wanted, once they are all there. */
  #body(packed: boolean): boolean {
    if (this.#sink?.piece && !this.#compressed && this.#record.type.layout === 'string')
      return this.#pieces();
    if (this.#tooLong) {
      if (!this.#compressed) this.#window.at += this.#stored;
      else if (!this.#lzf.run(this.#window)) return false;
      this.#stored = -1;
      this.#sink?.skipped(this.#plain);
      return true;
    }
    const taken = this.#gather.take(this.#stored);
    if (taken === undefined) return false;
    this.#stored = -1;
    const bytes = this.#compressed ? decompressLzf(taken, this.#plain) : taken;
    if (packed) this.#record.elements += countElements(this.#record.type, bytes);
    this.#sink?.string(bytes);
    return true;
  }

  /** Hands over what is at hand of a string. */
  #pieces(): boolean {
    const [window, from] = [this.#window, this.#window.at];
    window.at += Math.min(this.#stored, Math.max(0, window.end - from));
    this.#stored -= window.at - from;
    this.#sink?.piece?.(window.bytes.subarray(from, window.at));
    if (this.#stored === 0) this.#stored = -1;
    return this.#stored < 0;
  }

  #integer(kind: number, from: number): boolean {
    const window = this.#window;
    if (kind > encodings.int32) throw new RdbError('unknown', `a string of the unknown encoding ${kind}`);
    const bytes = 1 << kind;
    if (!window.has(bytes)) {
      window.at = from;
      return false;
    }
    const value = window.signed(bytes);
    const record = this.#record;
    record.strings++;
    if (bytes > record.longest) record.longest = bytes;
    record.integer = record.type.layout === 'string';
    this.#sink?.string(ascii(String(value)));
    return true;
  }
}
