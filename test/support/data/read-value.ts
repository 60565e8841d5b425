import type { BinaryClient, BinaryReply } from '../servers/binary-client.ts';
import { hasFieldExpiry } from './data-set.ts';
import type { DecodedGroup, DecodedStream, DecodedValue } from './decoded-value.ts';
import type { ServerBuild } from '../servers/redis-server.ts';

/** What a server says of a key by its own reads, in the form in which a decoder's findings are collected. */
export async function readByCommands(
  client: BinaryClient,
  build: ServerBuild,
  key: string | Uint8Array,
): Promise<DecodedValue> {
  const value: DecodedValue = { items: [], fields: [], members: [], skipped: [] };
  switch (String(await client.call('TYPE', key))) {
    case 'string':
      return { ...value, string: String(await client.call('GET', key)) };
    case 'list':
      return { ...value, items: texts(await client.call('LRANGE', key, 0, -1)) };
    case 'set':
      return { ...value, items: texts(await client.call('SMEMBERS', key)) };
    case 'zset':
      return {
        ...value,
        members: pairs(await client.call('ZRANGE', key, 0, -1, 'WITHSCORES')).map(withScore),
      };
    case 'hash':
      return { ...value, fields: await readFields(client, build, key) };
    default:
      return { ...value, stream: await readStream(client, key) };
  }
}

/** Sets, hashes and sorted sets have no order that a file must keep. */
export function inOrder(value: DecodedValue, type: string): DecodedValue {
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return {
    ...value,
    items: type === 'set' ? value.items.toSorted(byText) : value.items,
    fields: value.fields.toSorted(([a], [b]) => byText(a, b)),
    members: value.members.toSorted(([a], [b]) => byText(a, b)),
  };
}

async function readFields(
  client: BinaryClient,
  build: ServerBuild,
  key: string | Uint8Array,
): Promise<DecodedValue['fields']> {
  const held = pairs(await client.call('HGETALL', key));
  const expiries = new Map<string, number>();
  // A plain listpack has no room for times, and is searched through for each field that is asked for.
  if (hasFieldExpiry(build) && (await client.call('OBJECT', 'ENCODING', key)) !== 'listpack') {
    for (let from = 0; from < held.length; from += 1000) {
      const fields = held.slice(from, from + 1000).map(([field]) => Buffer.from(field, 'latin1'));
      const times = await client.call('HPEXPIRETIME', key, 'FIELDS', fields.length, ...fields);
      for (const [index, time] of list(times).entries())
        expiries.set(fields[index]?.toString('latin1') ?? '', Number(time));
    }
  }
  return held.map(([field, value]) => [field, value, expiries.get(field) ?? -1]);
}

const withScore = ([member, score]: [string, string]): [string, number] => [
  member,
  score === 'inf' ? Infinity : score === '-inf' ? -Infinity : Number(score),
];

async function readStream(client: BinaryClient, key: string | Uint8Array): Promise<DecodedStream> {
  const entries = list(await client.call('XRANGE', key, '-', '+'));
  const info = record(await client.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0));
  return {
    entries: entries.map((entry) => {
      const [id, fields] = list(entry);
      return [String(id), ...texts(fields ?? null)];
    }),
    length: Number(info['length']),
    lastId: String(info['last-generated-id']),
    firstId: optional(info['recorded-first-entry-id'], String),
    maxDeletedId: optional(info['max-deleted-entry-id'], String),
    entriesAdded: optional(info['entries-added'], Number),
    groups: list(info['groups'] ?? null).map(readGroup),
  };
}

function readGroup(reply: BinaryReply): DecodedGroup {
  const group = record(reply);
  return {
    name: String(group['name']),
    lastId: String(group['last-delivered-id']),
    entriesRead: optional(group['entries-read'] ?? undefined, Number),
    pending: list(group['pending'] ?? group['pel'] ?? null).map((entry) => {
      const [id, , at, count] = list(entry);
      return [String(id), Number(at), Number(count)];
    }),
    consumers: list(group['consumers'] ?? null).map((entry) => {
      const consumer = record(entry);
      return {
        name: String(consumer['name']),
        seenAt: Number(consumer['seen-time']),
        activeAt: optional(consumer['active-time'], Number),
        pending: list(consumer['pending'] ?? consumer['pel'] ?? null).map((pending) =>
          String(list(pending)[0]),
        ),
      };
    }),
  };
}

function optional<T>(value: BinaryReply | undefined, make: (value: BinaryReply) => T): T | undefined {
  return value === undefined ? undefined : make(value);
}

function list(reply: BinaryReply): BinaryReply[] {
  return Array.isArray(reply) ? reply : [];
}

function texts(reply: BinaryReply): string[] {
  return list(reply).map(String);
}

function pairs(reply: BinaryReply): [string, string][] {
  const flat = texts(reply);
  return Array.from({ length: flat.length / 2 }, (_, index) => [
    flat[2 * index] ?? '',
    flat[2 * index + 1] ?? '',
  ]);
}

/** Alternating names and values. */
function record(reply: BinaryReply): Record<string, BinaryReply> {
  const flat = list(reply);
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, index) => [
      String(flat[2 * index]),
      flat[2 * index + 1] ?? null,
    ]),
  );
}
