import { opcode, OpcodeReader } from './opcode-reader.ts';
import { countByHead, countOrOne } from './packed-elements.ts';
import { plainLayouts, readPlainKeys } from './plain-keys.ts';
import { RawValue } from './raw-value.ts';
import {
  RdbError,
  type KeysOptions,
  type RdbHandler,
  type RdbRecord,
  type TokenSink,
} from './rdb-handler.ts';
import { headerBytes, readRdbVersion, type Engine, type RdbVersion } from './rdb-version.ts';
import { shownName } from './shown-name.ts';
import { StringReader } from './string-reader.ts';
import { grammarOf } from './value-grammar.ts';
import { ValueReader } from './value-reader.ts';
import { typesOf, valueTypes } from './value-types.ts';
import type { Window } from './window.ts';

/** Bounds of what is kept of a file: see ReaderOptions. */
export interface Limits {
  keyLimit?: number;
  stringLimit?: number;
  rawLimit?: number;
  /** Of auxiliary fields and the code of functions. */
  textLimit?: number;
  sink?: TokenSink;
  /** See ReaderOptions. */
  lenient?: boolean;
}

const defaults = { key: 64 * 1024, string: 64 * 1024 * 1024, raw: 512 * 1024 * 1024 };

type State = 'header' | 'next' | 'opcode' | 'key' | 'value';

/** Walks over a file's opcodes, keys and values in the window, as far as it goes. */
export class FileReader {
  readonly #window: Window;
  readonly #handler: RdbHandler;
  readonly #plain: KeysOptions;
  readonly #key: StringReader;
  readonly #value: ValueReader;
  readonly #raw: RawValue;
  readonly #opcodes: OpcodeReader;
  readonly #sink: TokenSink | null;
  readonly #record: RdbRecord;
  #engine: Engine = 'redis';
  #state: State = 'header';
  #opcode = 0;
  /** Where in the file the value begins. */
  #valueAt = 0;
  /** Who gets the tokens of this value. */
  #valueSink: TokenSink | null = null;
  version: RdbVersion | undefined;
  /** Where in the file the byte after the end opcode is. */
  endedAt: number | undefined;
  records = 0;

  constructor(window: Window, handler: RdbHandler, limits: Limits) {
    this.#window = window;
    this.#handler = handler;
    const keyLimit = limits.keyLimit ?? defaults.key;
    this.#plain = { first: 0, keyLimit, types: [], layouts: new Uint8Array(256) };
    this.#sink = limits.sink ?? null;
    this.#record = emptyRecord(window.bytes);
    this.#key = new StringReader(window, keyLimit);
    const count = limits.lenient === true ? countOrOne : countByHead;
    this.#value = new ValueReader(window, this.#record, limits.stringLimit ?? defaults.string, count);
    this.#raw = new RawValue(window, limits.rawLimit ?? defaults.raw);
    this.#opcodes = new OpcodeReader(window, handler, this.#record, this.#value, limits.textLimit);
  }

  /** Reads until the window or the file ends. Throws an RdbError, without its place: see `locate`. */
  run(): void {
    const window = this.#window;
    // A value may end where the window does: no further byte is needed to see it.
    while (this.endedAt === undefined && (window.at < window.stop || this.#state === 'value')) {
      if (!this.#step()) return;
    }
  }

  /** The window goes: what is read of it and still needed is kept. */
  leave(): void {
    if (this.#state !== 'value') return;
    this.#key.keep();
    this.#showKey();
    this.#raw.leave();
  }

  /** Completes a fault with its place. */
  locate(error: RdbError): RdbError {
    if (error.offset === 0) error.offset = this.#window.offset;
    if (error.record !== undefined || (this.#state !== 'key' && this.#state !== 'value')) return error;
    const { bytes, from, to } = this.#key;
    const key = this.#state === 'key' ? '' : shownName(bytes, from, to);
    error.record = { index: this.records, key };
    return error;
  }

  /** The fault of a file that ends too soon, after `bytes` bytes. */
  truncated(bytes: number): RdbError {
    if (bytes === 0) return new RdbError('damaged', 'it is empty');
    const where =
      this.version === undefined
        ? 'within its header'
        : this.endedAt === undefined
          ? 'before its end opcode'
          : 'within its checksum';
    return new RdbError('damaged', `it is truncated: it ends after ${bytes} bytes, ${where}`, bytes);
  }

  #step(): boolean {
    const state = this.#state;
    if (state === 'value') return this.#inValue();
    if (state === 'next') return this.#next();
    if (state === 'key') return this.#inKey();
    if (state === 'header') return this.#header();
    if (!this.#opcodes.read(this.#opcode, this.#engine)) return false;
    this.#state = 'next';
    return true;
  }

  #header(): boolean {
    const window = this.#window;
    if (!window.has(headerBytes)) return false;
    const version = readRdbVersion(window.bytes.subarray(window.at, window.at + headerBytes));
    if (version === undefined)
      throw new RdbError('damaged', 'it does not start with REDIS or VALKEY and a version');
    window.at += headerBytes;
    this.version = version;
    this.#engine = version.engine;
    this.#plain.types = typesOf(version.engine);
    this.#plain.layouts = plainLayouts(this.#plain.types);
    this.#state = 'next';
    this.#handler.start?.(version);
    return true;
  }

  /** A value's type, or an opcode. */
  #next(): boolean {
    const window = this.#window;
    const record = this.#record;
    if (this.#handler.wish === undefined) {
      this.#plain.first = this.records;
      this.records += this.#plainKeys();
      if (window.at >= window.stop) return true;
    }
    const code = window.bytes[window.at]!;
    if (code === opcode.end || code === opcode.selectDb) this.#countScanned();
    const type = this.#plain.types[code];
    if (type !== undefined) {
      record.offset = window.offset;
      record.type = type;
      this.#state = 'key';
    } else if (code === opcode.end) this.endedAt = window.offset + 1;
    else {
      this.#opcode = code;
      this.#state = 'opcode';
    }
    window.at++;
    return true;
  }

  #plainKeys(): number {
    const [window, record, handler] = [this.#window, this.#record, this.#handler];
    const { scanner } = handler;
    return scanner !== undefined && scanner.holds(window)
      ? scanner.read(window, record, handler, this.#plain)
      : readPlainKeys(window, record, handler, this.#plain);
  }

  /** A database is read to its end. */
  #countScanned(): void {
    const { database } = this.#record;
    this.#handler.scanner?.takeCounts((code, keys, expiring) =>
      this.#handler.counted?.(database, code, keys, expiring),
    );
  }

  #inKey(): boolean {
    if (!this.#key.read()) return false;
    const record = this.#record;
    this.#showKey();
    record.keyBytes = this.#key.length;
    record.index = this.records;
    const wish = this.#handler.wish?.(record) ?? 'skip';
    this.#valueSink = wish === 'tokens' ? this.#sink : null;
    this.#valueSink?.begin(record);
    this.#raw.begin(wish === 'raw');
    this.#value.begin(grammarOf(record.type), this.#valueSink);
    this.#valueAt = this.#window.offset;
    this.#state = 'value';
    return true;
  }

  #inValue(): boolean {
    if (!this.#value.run() || !this.#raw.complete) return false;
    const record = this.#record;
    record.valueBytes = this.#window.offset - this.#valueAt;
    record.plainBytes += record.valueBytes;
    this.#valueSink?.end(record);
    this.#handler.record?.(record, this.#raw.end());
    this.records++;
    this.#state = 'next';
    record.expiresAt = -1;
    record.idle = -1;
    record.frequency = -1;
    return true;
  }

  #showKey(): void {
    const { bytes, from, to } = this.#key;
    this.#record.bytes = bytes;
    this.#record.keyFrom = from;
    this.#record.keyTo = to;
  }
}

function emptyRecord(bytes: Uint8Array): RdbRecord {
  return {
    index: 0,
    offset: 0,
    database: 0,
    type: valueTypes[0]!,
    bytes,
    keyFrom: 0,
    keyTo: 0,
    keyBytes: 0,
    expiresAt: -1,
    idle: -1,
    frequency: -1,
    elements: 0,
    valueBytes: 0,
    plainBytes: 0,
    strings: 0,
    longest: 0,
    integer: false,
  };
}
