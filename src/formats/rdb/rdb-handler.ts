import type { RdbVersion } from './rdb-version.ts';
import type { ValueType } from './value-types.ts';

/**
 * One key and what reading past its value told about it. One object is reused for every record, and its bytes are
 * those of a buffer that is overwritten: copy what you keep.
 */
export interface RdbRecord {
  /** 0 for the file's first key. */
  index: number;
  /** Where in the file its type byte is. */
  offset: number;
  database: number;
  type: ValueType;
  /** The key is `bytes[keyFrom … keyTo)`: decompressed, cut at the reader's `keyLimit`. */
  bytes: Uint8Array;
  keyFrom: number;
  keyTo: number;
  /** The key's whole length in bytes. */
  keyBytes: number;
  /** Milliseconds since 1970; -1: never. */
  expiresAt: number;
  /** Seconds since the last access, where the server's policy is an LRU one; -1: unknown. */
  idle: number;
  /** Logarithmic access counter (0..255), where the policy is an LFU one; -1: unknown. */
  frequency: number;
  /** As LLEN, SCARD, ZCARD, HLEN, XLEN count them; 1 for a string, 0 for a module's value. */
  elements: number;
  /** Bytes of the value in the file, without type and key. */
  valueBytes: number;
  /** The same with every compressed string counted at its full length. */
  plainBytes: number;
  /** Strings in the value: 1 for a string or a packed value, 2 for a hash's field and its value. */
  strings: number;
  /** The longest of them, at its full length. */
  longest: number;
  /** The value is a string that the file holds as an integer. */
  integer: boolean;
}

/**
 * What to do with the value whose key was just read:
 * - skip: read past it, learning sizes and counts only
 * - raw: hand its bytes to `record` as they are in the file (the payload of RESTORE without its footer)
 * - tokens: hand its parts to the sink, one by one, without the whole in memory
 */
export type ValueWish = 'skip' | 'raw' | 'tokens';

/** Whoever reads a file's content. Everything is called in the order of the file, synchronously. */
export interface RdbHandler {
  /** The magic and the version. */
  start?(version: RdbVersion): void;
  /** `redis-ver`, `ctime`, `used-mem` … Both decoded and cut at 64 KiB. */
  aux?(name: string, value: string): void;
  /** SELECTDB; every following record is in this database. */
  database?(database: number): void;
  /** RESIZEDB: what the server says the database holds. */
  size?(keys: number, expires: number): void;
  /** A function library's code, cut at 64 KiB. */
  functions?(code: Uint8Array, bytes: number): void;
  /** A module's own data outside of keys. */
  moduleAux?(module: string): void;
  /** Before a value. Only what precedes it is set in `record`: key, database, type, expiry, idle, frequency. */
  wish?(record: RdbRecord): ValueWish;
  /** After a value. `raw`: as wished for; null when it was longer than `rawLimit`. */
  record?(record: RdbRecord, raw?: Uint8Array | null): void;
  /** Reads keys in place of `record`, which still gets those that it stops at. Not asked where there is a `wish`. */
  readonly scanner?: KeyScanner | undefined;
  /** What the scanner read of one type, and how many of these keys expire: before the next database, and at the end. */
  counted?(database: number, code: number, keys: number, expiring: number): void;
}

/** Of those who read many keys at a time. */
export interface KeysOptions {
  /** Index of the first key. */
  first: number;
  /** Longer keys are left to others. */
  keyLimit: number;
  types: readonly (ValueType | undefined)[];
  /** As `plainLayouts` says. */
  layouts: Uint8Array;
}

/** What a scanner sees of a Window. */
export interface ShownBytes {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  readonly stop: number;
  readonly offset: number;
}

/** Reads and counts keys by itself, without a call for each, in memory of its own. */
export interface KeyScanner {
  /** Copies part of a file to where it can be read, and returns what ends with it; undefined when it is too long. */
  place(part: Uint8Array): Uint8Array | undefined;
  /** Does the window show what was placed? */
  holds(window: ShownBytes): boolean;
  /** As `readPlainKeys` does. */
  read(window: ShownBytes, record: RdbRecord, handler: RdbHandler, options: KeysOptions): number;
  /** Gives what was counted since this was last asked. */
  takeCounts(take: (code: number, keys: number, expiring: number) => void): void;
}

/**
 * Takes the parts of values in the order of the file. `record` has what precedes the value. Strings come decompressed;
 * their bytes are valid during the call only.
 *
 * By layout (value-types.ts): a count is `number`, a string is `string`, a double or an 8-byte time is `bytes8`, a
 * stream's entry id in a pending list is `bytes16`, a double as text is `string`.
 */
export interface TokenSink {
  begin(record: RdbRecord): void;
  string(bytes: Uint8Array): void;
  /**
   * A part of a string value that is stored as its bytes, at least one and in their order. A sink without this gets it
   * whole, by `string`.
   */
  piece?: ((bytes: Uint8Array) => void) | undefined;
  /** A string that is longer than the reader's `stringLimit`: read past, not handed over. */
  skipped(bytes: number): void;
  /** A length or another number of up to 64 bits. Exact up to 2^53; a bigint above. */
  number(value: number | bigint): void;
  /** Eight bytes: a double or a time, little endian. */
  bytes8(bytes: Uint8Array): void;
  bytes16(bytes: Uint8Array): void;
  end(record: RdbRecord): void;
}

/** Why a file is not what it should be. */
export class RdbError extends Error {
  override readonly name = 'RdbError';
  /** damaged: broken by the format's rules · unknown: of a kind that this reader does not know. */
  readonly kind: 'damaged' | 'unknown';
  /** Where in the file, in bytes from its start. */
  offset: number;
  /** The record it happened in, counted from 0, with the key's first bytes; undefined outside of records. */
  record: { index: number; key: string } | undefined;

  constructor(kind: 'damaged' | 'unknown', message: string, offset = 0) {
    super(message);
    this.kind = kind;
    this.offset = offset;
  }
}
