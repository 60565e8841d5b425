import { Crc64 } from '../../../src/formats/rdb/crc64.ts';
import { typesOf, type ValueType } from '../../../src/formats/rdb/value-types.ts';
import type { FileItem, FileModel, KeyModel } from './model.ts';
import { usual, type Style } from './style.ts';
import { ValueSink, type Token, type WrittenString } from './value-sink.ts';
import { countElements, moduleId, writeModuleParts, writeValue } from './value-writer.ts';

/** What a reader should find about one key. */
export interface WrittenRecord {
  model: KeyModel;
  type: ValueType;
  index: number;
  database: number;
  /** Where its type byte is. */
  offset: number;
  valueOffset: number;
  raw: Buffer;
  elements: number;
  tokens: Token[];
  strings: WrittenString[];
}

export interface WrittenFile {
  bytes: Buffer;
  model: FileModel;
  records: WrittenRecord[];
  /** Where the end opcode is. */
  end: number;
  /** Where each item begins. */
  items: number[];
}

/** Writes an RDB as a server of that engine and version would, or in any other way that the format allows. */
export function writeRdb(model: FileModel, style: Style = usual): WrittenFile {
  const sink = new ValueSink(style);
  sink.bytes(magicOf(model));
  const records: WrittenRecord[] = [];
  const items: number[] = [];
  let database = 0;
  for (const item of model.items) {
    items.push(sink.length);
    if (item.kind === 'database') ({ database } = item);
    if (item.kind === 'key') records.push(writeKey(sink, model, item, database, records.length));
    else writeOther(sink, item);
  }
  const end = sink.length;
  sink.byte(0xff);
  if (model.version >= 5) sink.bytes(trailerOf(sink.take(), model.checksum));
  return { bytes: sink.take(), model, records, end, items };
}

function magicOf({ engine, version }: FileModel): Buffer {
  return Buffer.from(
    engine === 'redis'
      ? `REDIS${String(version).padStart(4, '0')}`
      : `VALKEY${String(version).padStart(3, '0')}`,
  );
}

/** The last 8 bytes of a file whose other bytes are these. */
export function trailerOf(bytes: Uint8Array, checksum = true): Buffer {
  const trailer = Buffer.alloc(8);
  if (checksum) trailer.writeBigUInt64LE(new Crc64({ portable: true }).update(bytes).digest());
  return trailer;
}

function writeKey(
  sink: ValueSink,
  { engine }: FileModel,
  key: KeyModel,
  database: number,
  index: number,
): WrittenRecord {
  const type = typesOf(engine)[key.code];
  if (type === undefined) throw new Error(`${engine} has no type ${key.code}`);
  const { expiry, idle, frequency } = key;
  if (expiry?.unit === 'milliseconds') sink.byte(252).integer(expiry.at, 8);
  if (expiry?.unit === 'seconds') sink.byte(253).integer(expiry.at / 1000, 4);
  if (idle !== undefined) sink.byte(248).size(idle);
  if (frequency !== undefined) sink.byte(249, frequency);
  const offset = sink.length;
  sink.byte(key.code).string(key.name);
  sink.account();
  const valueOffset = sink.length;
  writeValue(sink, type, key.contents);
  const { tokens, strings } = sink.account();
  const raw = sink.take(valueOffset);
  const elements = countElements(key.contents);
  return { model: key, type, index, database, offset, valueOffset, raw, elements, tokens, strings };
}

function writeOther(sink: ValueSink, item: Exclude<FileItem, KeyModel>): void {
  switch (item.kind) {
    case 'aux':
      sink.byte(250).string(item.name).string(item.value);
      break;
    case 'database':
      sink.byte(254).size(item.database);
      break;
    case 'size':
      sink.byte(251).size(item.keys).size(item.expires);
      break;
    case 'slot-info':
      sink.byte(244).size(item.slot).size(item.keys).size(item.expires);
      break;
    case 'slot-import':
      sink.byte(243).string(item.job).size(item.ranges.length);
      for (const [from, to] of item.ranges) sink.size(from).size(to);
      break;
    case 'functions':
      sink.byte(245).string(item.code);
      break;
    case 'old-functions':
      sink.byte(246).string(item.name).string(Buffer.from('LUA'));
      sink.size(item.description === undefined ? 0 : 1);
      if (item.description !== undefined) sink.string(item.description);
      sink.string(item.code);
      break;
    case 'module-aux':
      sink.byte(247).size(moduleId(item.module, item.version)).size(2).size(item.when);
      writeModuleParts(sink, item.parts);
      break;
  }
}
