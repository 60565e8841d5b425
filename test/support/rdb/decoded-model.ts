import type { DecodedValue } from '../data/decoded-value.ts';
import type { Contents, StreamContents, StreamId } from './model.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const idText = ([ms, seq]: StreamId): string => `${ms}-${seq}`;
const unknown = 2n ** 64n - 1n;

/** What a decoder should find in a value that was written with these contents. */
export function decodedModel(contents: Contents, revision: number): DecodedValue {
  const value: DecodedValue = { items: [], fields: [], members: [], skipped: [] };
  switch (contents.data) {
    case 'string':
      return { ...value, string: text(contents.bytes) };
    case 'list':
    case 'set':
      return { ...value, items: contents.items.map(text) };
    case 'zset':
      return { ...value, members: contents.items.map(([member, score]) => [text(member), score]) };
    case 'hash':
      return {
        ...value,
        fields: contents.items.map(([field, held, expiresAt]) => [text(field), text(held), expiresAt ?? -1]),
      };
    case 'stream':
      return { ...value, stream: decodedStream(contents.stream, revision) };
    case 'module':
      break;
  }
  return value;
}

function decodedStream(stream: StreamContents, revision: number): NonNullable<DecodedValue['stream']> {
  const live = stream.entries.filter(({ deleted }) => !deleted);
  const newer = revision >= 2;
  return {
    entries: live.map(({ id, fields, values }) => [
      idText(id),
      ...values.flatMap((held, index) => [text(fields[index] ?? Buffer.of()), text(held)]),
    ]),
    length: live.length,
    lastId: idText(stream.lastId),
    firstId: newer ? idText(live[0]?.id ?? [0n, 0n]) : undefined,
    maxDeletedId: newer ? idText(stream.maxDeletedId) : undefined,
    entriesAdded: newer ? Number(stream.added) : undefined,
    groups: stream.groups.map(({ name, lastId, read, consumers }) => ({
      name: text(name),
      lastId: idText(lastId),
      entriesRead: newer && read !== unknown ? Number(read) : undefined,
      pending: consumers
        .flatMap(({ pending }) => pending)
        .toSorted((a, b) => (a.id[0] === b.id[0] ? compare(a.id[1], b.id[1]) : compare(a.id[0], b.id[0])))
        .map(({ id, deliveredAt, deliveries }) => [idText(id), Number(deliveredAt), deliveries]),
      consumers: consumers.map(({ name: consumer, seenAt, activeAt, pending }) => ({
        name: text(consumer),
        seenAt: Number(seenAt),
        activeAt: revision >= 3 ? Number(activeAt) : undefined,
        pending: pending.map(({ id }) => idText(id)),
      })),
    })),
  };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
