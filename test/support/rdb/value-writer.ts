import { integerOf } from './byte-sink.ts';
import type { Contents, ModulePart } from './model.ts';
import { intset, listpack, ziplist, zipmap, type Entry } from './packed-writer.ts';
import { writeStream } from './stream-writer.ts';
import type { ValueSink } from './value-sink.ts';
import type { ValueType } from '../../../src/formats/rdb/value-types.ts';

/** Writes contents as a value of a type; throws where the two do not fit. */
export function writeValue(sink: ValueSink, type: ValueType, contents: Contents): void {
  if (type.data !== contents.data) throw new Error(`a ${contents.data} is not written as type ${type.code}`);
  switch (contents.data) {
    case 'string':
      sink.string(contents.bytes);
      break;
    case 'list':
      writeList(sink, type, contents.items);
      break;
    case 'set':
      if (type.layout === 'blob') writeBlob(sink, type, contents.items);
      else writeAll(sink, contents.items.length, contents.items);
      break;
    case 'zset':
      writeSortedSet(sink, type, contents.items);
      break;
    case 'hash':
      writeHash(sink, type, contents.items);
      break;
    case 'stream':
      writeStream(sink, contents.stream, type.revision);
      break;
    case 'module':
      sink.number(moduleId(contents.module, contents.version));
      writeModuleParts(sink, contents.parts);
      break;
  }
}

/** As LLEN and its like count them; what RdbRecord calls elements. */
export function countElements(contents: Contents): number {
  if (contents.data === 'string') return 1;
  if (contents.data === 'module') return 0;
  if (contents.data === 'stream') return contents.stream.entries.filter(({ deleted }) => !deleted).length;
  return contents.items.length;
}

function writeAll(sink: ValueSink, count: number, strings: readonly Uint8Array[]): void {
  sink.number(count);
  for (const string of strings) sink.string(string);
}

function packed(sink: ValueSink, { code, packing }: ValueType, entries: readonly Entry[]): Buffer {
  if (packing === undefined) throw new Error(`type ${code} packs nothing`);
  const { style } = sink;
  if (packing === 'listpack') return listpack(entries, style);
  if (packing === 'intset') return intset(entries.map(mustBeInteger), style);
  return (packing === 'ziplist' ? ziplist : zipmap)(entries.map(mustBeText), style);
}

function mustBeText(entry: Entry): Uint8Array {
  if (typeof entry !== 'object') throw new Error('only listpacks hold what must be an integer');
  return entry;
}

function mustBeInteger(entry: Entry): bigint {
  const value = integerOf(mustBeText(entry));
  if (value === undefined) throw new Error('an intset holds integers only');
  return value;
}

function writeBlob(sink: ValueSink, type: ValueType, entries: readonly Entry[]): void {
  sink.string(packed(sink, type, entries));
}

function writeList(sink: ValueSink, type: ValueType, items: readonly Uint8Array[]): void {
  if (type.layout === 'strings') return writeAll(sink, items.length, items);
  if (type.layout === 'blob') return writeBlob(sink, type, items);
  const plain = (node: readonly Uint8Array[]): boolean =>
    type.layout === 'containers' && node.length === 1 && (node[0]?.length ?? 0) > 8192;
  const nodes = inNodes(items, 1 + ((127 + sink.style.pick(128)) % 128));
  sink.number(nodes.length);
  for (const node of nodes) {
    const [only] = node;
    // No server takes an empty element in a node of its own.
    const may = only !== undefined && only.length > 0 && node.length === 1;
    const alone = may && (plain(node) || sink.style.pick(3) === 2);
    if (type.layout === 'containers') sink.number(alone ? 1 : 2);
    if (alone && type.layout === 'containers') sink.string(only);
    else writeBlob(sink, type, node);
  }
}

/** Large elements have a node of their own. */
function inNodes(items: readonly Uint8Array[], size: number): Uint8Array[][] {
  const nodes: Uint8Array[][] = [];
  let open = false;
  for (const item of items) {
    const large = item.length > 8192;
    const node = nodes.at(-1);
    if (node === undefined || !open || large || node.length >= size) nodes.push([item]);
    else node.push(item);
    open = !large;
  }
  return nodes;
}

const byScore = (a: [Uint8Array, number], b: [Uint8Array, number]): number =>
  a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : Buffer.compare(a[0], b[0]);

function writeSortedSet(sink: ValueSink, type: ValueType, items: readonly [Uint8Array, number][]): void {
  if (type.layout === 'blob') {
    const sorted = items.toSorted(byScore);
    return writeBlob(
      sink,
      type,
      sorted.flatMap(([member, score]) => [member, scoreText(score)]),
    );
  }
  sink.number(items.length);
  for (const [member, score] of items) {
    sink.string(member);
    if (type.layout === 'scored') sink.fixedDouble(score);
    else writeTextScore(sink, score);
  }
}

/** The oldest form: a length byte, of which three values stand for what has no digits. */
function writeTextScore(sink: ValueSink, score: number): void {
  const text = scoreText(score);
  if (Number.isNaN(score)) sink.byte(253);
  else if (Math.abs(score) === Infinity) sink.byte(score > 0 ? 254 : 255);
  else sink.byte(text.length).bytes(text);
  sink.tokens.push({ kind: 'string', bytes: text });
}

export function scoreText(score: number): Uint8Array {
  if (Math.abs(score) === Infinity) return Buffer.from(score > 0 ? 'inf' : '-inf');
  if (Number.isNaN(score)) return Buffer.from('nan');
  return Buffer.from(Object.is(score, -0) ? '-0' : String(score));
}

type HashItems = readonly [Uint8Array, Uint8Array, number?][];

function writeHash(sink: ValueSink, type: ValueType, items: HashItems): void {
  const pairs = items.flatMap(([field, value]) => [field, value]);
  const times = items.flatMap(([, , time]) => (time === undefined ? [] : [time]));
  const earliest = times.length === 0 ? 0 : Math.min(...times);
  const { layout, revision } = type;
  if (layout === 'blob') return writeBlob(sink, type, pairs);
  if (layout === 'pairs') return writeAll(sink, items.length, pairs);
  if (layout === 'pairs-expiring') {
    sink.number(items.length);
    for (const [field, value, time] of items)
      sink
        .string(field)
        .string(value)
        .time(time ?? -1);
    return;
  }
  if (revision === 2) sink.time(earliest);
  if (layout === 'expiring-blob') {
    const sorted = items.toSorted((a, b) => (a[2] ?? Infinity) - (b[2] ?? Infinity) || 0);
    return writeBlob(
      sink,
      type,
      sorted.flatMap(([field, value, time]) => [field, value, BigInt(time ?? 0)]),
    );
  }
  sink.number(items.length);
  for (const [field, value, time] of items) {
    const told = revision === 2 ? (time ?? 0) - earliest + 1 : (time ?? 0);
    sink
      .number(time === undefined ? 0 : told)
      .string(field)
      .string(value);
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Nine letters of six bits each, and ten bits for the version of the module's encoding. */
export function moduleId(name: string, version: number): bigint {
  if (name.length !== 9) throw new Error('a module type has nine letters');
  let id = 0n;
  for (const letter of name) id = (id << 6n) | BigInt(letters.indexOf(letter));
  return (id << 10n) | BigInt(version);
}

const opcodes = { signed: 1, unsigned: 2, float: 3, double: 4, string: 5 };

export function writeModuleParts(sink: ValueSink, parts: readonly ModulePart[]): void {
  for (const part of parts) {
    sink.number(opcodes[part.op]);
    switch (part.op) {
      case 'signed':
      case 'unsigned':
        sink.number(BigInt.asUintN(64, part.value));
        break;
      case 'float': {
        const bytes = Buffer.alloc(4);
        bytes.writeFloatLE(part.value);
        sink.fixed(bytes);
        break;
      }
      case 'double':
        sink.fixedDouble(part.value);
        break;
      case 'string':
        sink.string(part.bytes);
        break;
    }
  }
  sink.number(0);
}
