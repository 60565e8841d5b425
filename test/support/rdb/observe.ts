import {
  RdbError,
  type RdbHandler,
  type RdbRecord,
  type TokenSink,
  type ValueWish,
} from '../../../src/formats/rdb/rdb-handler.ts';
import { RdbReader, type ReaderOptions, type RdbSummary } from '../../../src/formats/rdb/rdb-reader.ts';
import type { WrittenFile, WrittenRecord } from './rdb-writer.ts';
import { feed } from './feed.ts';
import type { FileItem } from './model.ts';
import type { Token } from './value-sink.ts';

/** A record as plain data, its key and raw value copied. */
export interface Seen {
  facts: Record<string, number | boolean>;
  key: string;
  raw: string | null | undefined;
  tokens: string[] | undefined;
}

export interface Observation {
  summary: RdbSummary;
  records: Seen[];
  /** What stands between keys. */
  others: string[];
}

export interface ObserveOptions extends ReaderOptions {
  wish?: ValueWish | ((index: number) => ValueWish);
  /** Lengths of the chunks, over and over again; one chunk when left out. */
  chunks?: readonly number[];
}

/** Reads a whole file in chunks that are overwritten after each, and notes everything that is called. */
export function observe(bytes: Uint8Array, options: ObserveOptions = {}): Observation {
  const { wish, chunks = [bytes.length], ...readerOptions } = options;
  const notes = new Notes(wish);
  const reader = new RdbReader(notes.handler, { sink: notes.sink, ...readerOptions });
  feed(reader, bytes, chunks);
  return { summary: reader.finish(), records: notes.records, others: notes.others };
}

/** What observing throws, which must be an RdbError; undefined when it does not. */
export function faultOf(bytes: Uint8Array, options: ObserveOptions = {}): RdbError | undefined {
  try {
    observe(bytes, options);
    return undefined;
  } catch (error) {
    if (error instanceof RdbError) return error;
    throw error;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

class Notes {
  readonly records: Seen[] = [];
  readonly others: string[] = [];
  readonly handler: RdbHandler;
  readonly sink: TokenSink;
  #tokens: string[] | undefined;

  constructor(wish: ObserveOptions['wish']) {
    const note = (...parts: unknown[]): void => void this.others.push(parts.join(' '));
    this.handler = {
      start: ({ engine, version }) => note('start', engine, version),
      aux: (name, value) => note('aux', JSON.stringify([name, value])),
      database: (database) => note('database', database),
      size: (keys, expires) => note('size', keys, expires),
      functions: (code, bytes) => note('functions', hex(code), bytes),
      moduleAux: (module) => note('module-aux', module),
      record: (record, raw) => this.#record(record, raw),
      ...(wish && { wish: ({ index }: RdbRecord) => (typeof wish === 'string' ? wish : wish(index)) }),
    };
    this.sink = {
      begin: () => (this.#tokens = []),
      string: (bytes) => this.#token(`string ${hex(bytes)}`),
      skipped: (bytes) => this.#token(`skipped ${bytes}`),
      number: (value) => this.#token(`number ${value}`),
      bytes8: (bytes) => this.#token(`bytes ${hex(bytes)}`),
      bytes16: (bytes) => this.#token(`bytes ${hex(bytes)}`),
      end: () => undefined,
    };
  }

  #token(token: string): void {
    if (this.#tokens === undefined) throw new Error('a token outside of a value');
    this.#tokens.push(token);
  }

  #record(record: RdbRecord, raw: Uint8Array | null | undefined): void {
    const { type, bytes, keyFrom, keyTo, ...facts } = record;
    this.records.push({
      facts: { ...facts, code: type.code },
      key: hex(bytes.subarray(keyFrom, keyTo)),
      raw: raw && hex(raw),
      tokens: this.#tokens,
    });
    this.#tokens = undefined;
  }
}

/** What observing a written file must give. */
export function expected(
  { model, records, bytes }: WrittenFile,
  { wish = 'skip', keyLimit = 65_536, rawLimit = Infinity, stringLimit = Infinity }: ObserveOptions = {},
): Observation {
  const { engine, version, checksum } = model;
  const crc = version < 5 ? 'none' : checksum ? 'ok' : 'off';
  return {
    summary: { version: { engine, version }, crc, bytes: bytes.length, records: records.length },
    others: [`start ${engine} ${version}`, ...model.items.flatMap(otherOf)],
    records: records.map((record) => {
      const wished = typeof wish === 'string' ? wish : wish(record.index);
      return {
        facts: factsOf(record),
        key: hex(record.model.name.subarray(0, keyLimit)),
        raw: wished === 'raw' ? (record.raw.length > rawLimit ? null : hex(record.raw)) : undefined,
        tokens:
          wished === 'tokens' ? record.tokens.flatMap((token) => tokenOf(token, stringLimit)) : undefined,
      };
    }),
  };
}

function factsOf({
  model,
  type,
  index,
  database,
  offset,
  raw,
  elements,
  strings,
}: WrittenRecord): Seen['facts'] {
  const saved = strings.map(({ form, plain, stored }) => (form === 'lzf' ? plain - stored : 0));
  return {
    index,
    offset,
    database,
    code: type.code,
    keyBytes: model.name.length,
    expiresAt: model.expiry?.at ?? -1,
    idle: model.idle ?? -1,
    frequency: model.frequency ?? -1,
    elements,
    valueBytes: raw.length,
    plainBytes: raw.length + saved.reduce((sum, bytes) => sum + bytes, 0),
    strings: strings.length,
    // An integer counts as the bytes that it takes.
    longest: Math.max(0, ...strings.map(({ form, plain, stored }) => (form === 'integer' ? stored : plain))),
    integer: type.layout === 'string' && strings[0]?.form === 'integer',
  };
}

/** A module's 4-byte floats are not handed over. */
function tokenOf(token: Token, stringLimit: number): string[] {
  if (token.kind === 'number') return [`number ${token.value}`];
  if (token.kind === 'bytes') return token.bytes.length === 4 ? [] : [`bytes ${hex(token.bytes)}`];
  if (token.bytes.length > stringLimit) return [`skipped ${token.bytes.length}`];
  return [`string ${hex(token.bytes)}`];
}

function otherOf(item: FileItem): string[] {
  const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, 65_536));
  switch (item.kind) {
    case 'aux':
      return [`aux ${JSON.stringify([decoded(item.name), decoded(item.value)])}`];
    case 'database':
      return [`database ${item.database}`];
    case 'size':
      return [`size ${item.keys} ${item.expires}`];
    case 'functions':
      return [`functions ${hex(item.code.subarray(0, 65_536))} ${item.code.length}`];
    case 'module-aux':
      return [`module-aux ${item.module}`];
    case 'key':
    case 'slot-info':
    case 'slot-import':
    case 'old-functions':
      break;
  }
  return [];
}
