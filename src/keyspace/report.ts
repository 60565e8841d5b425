import { keyspaceSchema, type KeyspaceSummary, type LargeKey, type Prefixes } from '../domain/keyspace.ts';
import type { RdbHandler, RdbRecord } from '../formats/rdb/rdb-handler.ts';
import type { RdbVersion } from '../formats/rdb/rdb-version.ts';
import { valueTypes } from '../formats/rdb/value-types.ts';
import { isEmpty } from '../formats/rdb/whole/empty-keys.ts';
import { printable } from '../lib/text/printable.ts';
import { frequencyBounds, Histogram, idleBounds, sizeBounds, sizeBucket, ttlBounds } from './histogram.ts';
import { keyText } from './key-text.ts';
import { keepKey, LargeKeys, type KeptKey } from './large-keys.ts';
import { estimateMemory, memoryModelFor, type MemoryModel } from './memory-model.ts';
import { dataTypes, type KeySize } from './prefix-sums.ts';
import { PrefixTable } from './prefix-table.ts';
import { Scanner } from './scanner.ts';
import { KeySample } from './separator.ts';
import { Tallies } from './tallies.ts';

export interface ReportOptions {
  /** From when times to live are measured where the dump does not say when it was made; milliseconds. */
  now: number;
  /** Keys that are kept for each measure. 20 when left out. */
  top?: number;
  /** Prefixes that are kept for each measure. 50 when left out. */
  prefixes?: number;
  /** What divides names; found out from the first keys when left out. */
  separator?: string;
  /** How many segments of a name make a prefix. 3 when left out. */
  depth?: number;
  /** Count only these keys. */
  database?: number;
  type?: string;
  /** Never use the scanner: for cross checks. */
  portable?: boolean;
}

const usual = { top: 20, prefixes: 50, depth: 3 } as const;
/** A dump has about ten fields. */
const mostAux = 64;
const longestAux = 200;
/** The latest time that a Date can hold. */
const endOfTime = 8.64e15;

/**
 * Builds the key-space report while an RDB is read: give it to an RdbReader, then take `summary()`. Nothing is made per
 * key, and memory does not depend on the file.
 */
export class KeyspaceReport implements RdbHandler {
  readonly #options: ReportOptions;
  readonly #top: number;
  readonly #depth: number;
  readonly #wanted: { database: number; type: string | undefined };
  /** Where the machine can, and all keys count. */
  readonly #scanner: Scanner | undefined;
  readonly #tallies: Tallies;
  readonly #ttl: Histogram;
  readonly #sizes: Histogram;
  readonly #idle: Histogram;
  readonly #frequency: Histogram;
  readonly #byMemory: LargeKeys;
  readonly #byBytes: LargeKeys;
  readonly #byElements: LargeKeys;
  readonly #aux = new Map<string, string>();
  readonly #size: KeySize = { bytes: 0, memory: 0, expires: false, type: 0 };
  #version: RdbVersion = { engine: 'redis', version: 0 };
  #model: MemoryModel = memoryModelFor(this.#version);
  #functions = 0;
  #empty = 0;
  #measuredFrom: number;
  #separator: string | null;
  /** Until the separator is known. */
  #sample: KeySample | undefined;
  readonly #table: PrefixTable;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#top = options.top ?? usual.top;
    this.#depth = options.depth ?? usual.depth;
    this.#wanted = { database: options.database ?? -1, type: options.type };
    this.#byMemory = new LargeKeys(this.#top);
    this.#byBytes = new LargeKeys(this.#top);
    this.#byElements = new LargeKeys(this.#top, 1);
    this.#measuredFrom = options.now;
    this.#separator = options.separator ?? null;
    this.#sample = options.separator === undefined ? new KeySample() : undefined;
    const countsAll = options.database === undefined && options.type === undefined;
    this.#scanner = countsAll && options.portable !== true ? Scanner.create() : undefined;
    const arena = this.#scanner?.arena;
    this.#tallies = new Tallies(arena);
    this.#ttl = new Histogram(ttlBounds, arena);
    this.#sizes = new Histogram(sizeBounds, arena);
    this.#idle = new Histogram(idleBounds, arena);
    this.#frequency = new Histogram(frequencyBounds, arena);
    this.#table = new PrefixTable(codeOf(this.#separator), this.#depth, { arena });
    this.#scanner?.share({
      tallies: this.#tallies,
      sizes: this.#sizes,
      times: this.#ttl,
      idles: this.#idle,
      frequencies: this.#frequency,
      prefixes: this.#table.sums,
    });
    this.#tellScanner();
  }

  /** What reads plain keys instead of `record`, once it is known what divides their names. */
  get scanner(): Scanner | undefined {
    return this.#sample === undefined ? this.#scanner : undefined;
  }

  start(version: RdbVersion): void {
    this.#version = version;
    this.#model = memoryModelFor(version);
    this.#tellScanner();
  }

  aux(name: string, value: string): void {
    if (this.#aux.size < mostAux)
      this.#aux.set(printable(name.slice(0, longestAux)), printable(value.slice(0, longestAux)));
    if (name === 'ctime') this.#measuredFrom = (wholeNumber(value) ?? 0) * 1000 || this.#options.now;
    if (name === 'valkey-ver') this.#model = memoryModelFor(this.#version, value);
    this.#tellScanner();
  }

  database(database: number): void {
    this.#tallies.enter(database);
  }

  functions(): void {
    this.#functions++;
  }

  record(record: RdbRecord): void {
    const { database, type } = this.#wanted;
    if (database >= 0 && database !== record.database) return;
    if (type !== undefined && type !== record.type.data) return;
    if (isEmpty(record)) this.#empty++;
    const memory = Math.round(estimateMemory(record, this.#model));
    const bytes = record.keyBytes + record.valueBytes;
    const row = this.#tallies.add(record, bytes, memory);
    this.#sizes.addTo(sizeBucket(record.valueBytes), bytes);
    if (record.expiresAt >= 0) this.#ttl.add((record.expiresAt - this.#measuredFrom) / 1000, bytes);
    if (record.idle >= 0) this.#idle.add(record.idle, bytes);
    if (record.frequency >= 0) this.#frequency.add(record.frequency, bytes);
    if (
      memory > this.#byMemory.floor ||
      bytes > this.#byBytes.floor ||
      record.elements > this.#byElements.floor
    )
      this.#keep(record, row, bytes, memory);
    const size = this.#size;
    size.bytes = bytes;
    size.memory = memory;
    size.expires = record.expiresAt >= 0;
    size.type = indexOfCode[record.type.code]!;
    this.#addPrefixes(record, size);
  }

  /** What was read so far; for a whole file only after the reader's `finish`. */
  summary(): KeyspaceSummary {
    this.#decide();
    const createdAt = (wholeNumber(this.#aux.get('ctime')) ?? 0) * 1000;
    const { engine, version } = this.#version;
    const tallies = this.#tallies.summarize();
    const { keys, bytes, expiring, expiring_bytes: expiringBytes } = tallies.totals;
    const never = { keys: keys - expiring, bytes: bytes - expiringBytes };
    return {
      schema: keyspaceSchema,
      rdb: { engine, version, aux: Object.fromEntries(this.#aux), functions: this.#functions },
      created_at: createdAt > 0 ? isoTime(createdAt) : null,
      used_memory: wholeNumber(this.#aux.get('used-mem')) ?? null,
      selection: { database: this.#options.database ?? null, type: this.#options.type ?? null },
      ...tallies,
      ...(this.#empty > 0 && { empty: this.#empty }),
      ttl: { measured_from: isoTime(this.#measuredFrom), never, buckets: this.#ttl.buckets() },
      sizes: this.#sizes.buckets(),
      idle: this.#idle.bucketsIfAny(),
      frequency: this.#frequency.bucketsIfAny(),
      prefixes: this.#prefixes(),
      keys: this.#largest(),
    };
  }

  #keep(record: RdbRecord, row: number, bytes: number, memory: number): void {
    const key = keepKey(record, this.#tallies.encodingOf(row), bytes, memory);
    if (memory > this.#byMemory.floor) this.#byMemory.add(memory, key);
    if (bytes > this.#byBytes.floor) this.#byBytes.add(bytes, key);
    if (record.elements > this.#byElements.floor) this.#byElements.add(record.elements, key);
    this.#tellScanner();
  }

  /** What decides about keys from here on. */
  #tellScanner(): void {
    this.#scanner?.set({
      model: this.#model,
      measuredFrom: this.#measuredFrom,
      floors: { memory: this.#byMemory.floor, bytes: this.#byBytes.floor, elements: this.#byElements.floor },
      ...this.#table.division,
    });
  }

  #addPrefixes({ bytes, keyFrom, keyTo }: RdbRecord, size: KeySize): void {
    if (this.#sample !== undefined) {
      if (this.#sample.add(bytes, keyFrom, keyTo, size)) return;
      this.#decide();
    }
    this.#table.add(bytes, keyFrom, keyTo, size);
  }

  /** The separator, from the keys so far. */
  #decide(): void {
    if (this.#sample === undefined) return;
    const sample = this.#sample;
    this.#sample = undefined;
    this.#separator = sample.separator();
    this.#table.restart(codeOf(this.#separator));
    this.#tellScanner();
    sample.addTo(this.#table);
  }

  #prefixes(): Prefixes {
    const most = this.#options.prefixes ?? usual.prefixes;
    const list = this.#table
      .entries({ most })
      .toSorted((a, b) => b.memory - a.memory || (a.prefix < b.prefix ? -1 : 1));
    return {
      separator: this.#separator,
      depth: this.#depth,
      list,
      complete: list.length === this.#table.count && this.#table.missed === 0,
      missed: this.#table.missed,
      none: this.#table.none,
    };
  }

  #largest(): LargeKey[] {
    const kept = new Set([this.#byMemory, this.#byBytes, this.#byElements].flatMap((list) => list.keys()));
    return [...kept].toSorted((a, b) => b.memory - a.memory || a.index - b.index).map(describeKey);
  }
}

/** Indexes in `dataTypes` by a value type's code. */
const indexOfCode = new Uint8Array(256);
for (const { code, data } of valueTypes) indexOfCode[code] = dataTypes.indexOf(data);

function codeOf(separator: string | null): number | null {
  return separator === null ? null : separator.charCodeAt(0);
}

function describeKey({ name, keyBytes, expiresAt, ...key }: KeptKey): LargeKey {
  const { database, type, encoding, elements, bytes, memory } = key;
  return {
    database,
    ...keyText(name, keyBytes),
    key_bytes: keyBytes,
    type,
    encoding,
    elements,
    bytes,
    memory,
    expires_at: expiresAt < 0 ? null : isoTime(expiresAt),
  };
}

function isoTime(at: number): string {
  return new Date(Math.min(at, endOfTime)).toISOString();
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
