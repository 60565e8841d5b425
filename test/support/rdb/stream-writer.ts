import type { StreamContents, StreamGroup, StreamId } from './model.ts';
import { ByteSink } from './byte-sink.ts';
import { listpack, type Entry } from './packed-writer.ts';
import type { Style } from './style.ts';
import type { ValueSink } from './value-sink.ts';

type StreamEntries = StreamContents['entries'];

/** Radix tree of listpacks, metadata, consumer groups. `revision`: 1, 2 (first id, counters) or 3 (active time). */
export function writeStream(sink: ValueSink, stream: StreamContents, revision: number): void {
  const nodes = inNodes(stream.entries, 1 + ((99 + sink.style.pick(100)) % 100));
  sink.number(nodes.length);
  for (const node of nodes) {
    const [first] = node;
    if (first === undefined) continue;
    sink.string(idBytes(first.id));
    sink.string(listpack(nodeEntries(node, sink.style), sink.style));
  }
  const live = stream.entries.filter(({ deleted }) => !deleted);
  sink.number(live.length);
  writeId(sink, stream.lastId);
  if (revision >= 2) {
    writeId(sink, live[0]?.id ?? [0n, 0n]);
    writeId(sink, stream.maxDeletedId);
    sink.number(stream.added);
  }
  sink.number(stream.groups.length);
  for (const group of stream.groups) writeGroup(sink, group, revision);
}

/** As they lie in one listpack. Servers drop one when all its entries are deleted, so each has one that is not. */
function inNodes(entries: StreamEntries, size: number): StreamEntries[] {
  const nodes: StreamEntries[] = [];
  for (const entry of entries) {
    const node = nodes.at(-1);
    if (node === undefined || (node.length >= size && node.some(({ deleted }) => !deleted)))
      nodes.push([entry]);
    else node.push(entry);
  }
  const [last, before] = [nodes.at(-1), nodes.at(-2)];
  if (last !== undefined && before !== undefined && last.every(({ deleted }) => deleted))
    before.push(...(nodes.pop() ?? []));
  return nodes;
}

/** The first entry's fields stand before all entries; those with the same fields leave them out. */
function nodeEntries(node: StreamEntries, style: Style): Entry[] {
  const master = node[0]?.fields ?? [];
  const base = node[0]?.id ?? ([0n, 0n] as const);
  const deleted = node.filter((entry) => entry.deleted).length;
  const out: Entry[] = [text(node.length - deleted), text(deleted), text(master.length), ...master, text(0)];
  for (const { id, fields, values, deleted: gone } of node) {
    const same =
      fields.length === master.length &&
      fields.every((field, index) => Buffer.compare(field, master[index] ?? field) === 0);
    const short = same && style.pick(5) !== 4;
    const flags = (gone ? 1 : 0) | (short ? 2 : 0);
    // Servers write other flags over them, so they have one byte.
    out.push(flags, text(wrapped(id[0] - base[0])), text(wrapped(id[1] - base[1])));
    if (!short) out.push(text(fields.length));
    for (const [index, value] of values.entries()) {
      const field = fields[index];
      if (!short && field !== undefined) out.push(field);
      out.push(value);
    }
    out.push(text(short ? values.length + 3 : 2 * values.length + 4));
  }
  return out;
}

const text = (value: number | bigint): Entry => Buffer.from(String(value));
const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value);

function writeId(sink: ValueSink, [milliseconds, sequence]: StreamId): void {
  sink.number(milliseconds).number(sequence);
}

/** Big endian, so that they sort. */
function idBytes([milliseconds, sequence]: StreamId): Buffer {
  return new ByteSink().integer(milliseconds, 8, 'big').integer(sequence, 8, 'big').take();
}

function writeGroup(sink: ValueSink, { name, lastId, read, consumers }: StreamGroup, revision: number): void {
  sink.string(name);
  writeId(sink, lastId);
  if (revision >= 2) sink.number(read);
  const pending = consumers.flatMap((consumer) => consumer.pending);
  sink.number(pending.length);
  for (const { id, deliveredAt, deliveries } of pending.toSorted((a, b) => compareIds(a.id, b.id)))
    sink.fixed(idBytes(id)).time(deliveredAt).number(deliveries);
  sink.number(consumers.length);
  for (const consumer of consumers) {
    sink.string(consumer.name).time(consumer.seenAt);
    if (revision >= 3) sink.time(consumer.activeAt);
    sink.number(consumer.pending.length);
    for (const { id } of consumer.pending) sink.fixed(idBytes(id));
  }
}

export function compareIds(a: StreamId, b: StreamId): number {
  const [left, right] = a[0] === b[0] ? [a[1], b[1]] : [a[0], b[0]];
  return left < right ? -1 : left > right ? 1 : 0;
}
