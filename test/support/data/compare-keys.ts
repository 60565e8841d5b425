import { connectBinary, type BinaryClient } from '../servers/binary-client.ts';
import type { DecodedStream, DecodedValue } from './decoded-value.ts';
import { inOrder, readByCommands } from './read-value.ts';
import type { ServerBuild, TestServer } from '../servers/redis-server.ts';

/** What a server holds, so that other versions of it and other engines can be compared. */
export interface HeldKeys {
  build: ServerBuild;
  /** By database and name (latin1): type, DEBUG DIGEST-VALUE, and when it expires, in whole milliseconds. */
  keys: Map<string, { type: string; digest: string; expires: number }>;
  value(place: string): Promise<unknown>;
}

/** Reads names, digests and expiries of these databases; values when they are asked for. */
export async function holdKeys(server: TestServer, databases: readonly number[]): Promise<HeldKeys> {
  const keys: HeldKeys['keys'] = new Map();
  using client = connectBinary(server);
  for (const database of databases) {
    await client.call('SELECT', database);
    await Promise.all(
      list(await client.call('KEYS', '*')).map(async (name) => {
        const key = Buffer.from(name, 'latin1');
        const [digest, type, expires] = await Promise.all([
          client.call('DEBUG', 'DIGEST-VALUE', key),
          client.call('TYPE', key),
          expiryOf(client, server.build, key),
        ]);
        keys.set(`${database} ${name}`, { type: String(type), digest: String(digest), expires });
      }),
    );
  }
  return {
    build: server.build,
    keys,
    value: async (place) => await readValue(server, place, keys.get(place)?.type),
  };
}

/** Before 7.0 a server tells only how long it still is: then within a second. */
async function expiryOf(
  client: BinaryClient,
  { engine, version }: ServerBuild,
  key: Buffer,
): Promise<number> {
  if (engine === 'valkey' || Number.parseFloat(version) >= 7)
    return Number(await client.call('PEXPIRETIME', key));
  const left = Number(await client.call('PTTL', key));
  return left < 0 ? left : left + Date.now();
}

async function readValue(server: TestServer, place: string, type = ''): Promise<unknown> {
  const [database = '', name = ''] = /^(\d+) ([^]*)$/.exec(place)?.slice(1) ?? [];
  using client = connectBinary(server);
  await client.call('SELECT', database);
  const value = inOrder(await readByCommands(client, server.build, Buffer.from(name, 'latin1')), type);
  return comparable(value);
}

/**
 * Without what versions hold differently of the same value: listpacks have no negative zero, and streams before 7.0 do not
 * count. When consumers were last seen, and pending entries that are deleted, no command can set.
 */
function comparable({ members, stream, ...value }: DecodedValue): unknown {
  return {
    ...value,
    members: members.map(([member, score]) => [member, score + 0]),
    ...(stream && { stream: comparableStream(stream) }),
  };
}

function comparableStream({ entries, length, lastId, groups }: DecodedStream): unknown {
  const ids = new Set(entries.map(([id]) => id));
  return {
    entries,
    length,
    lastId,
    groups: groups.map(({ name, lastId: last, pending, consumers }) => ({
      name,
      lastId: last,
      pending: pending.filter(([id]) => ids.has(id)),
      consumers: consumers.map((consumer) => ({
        name: consumer.name,
        pending: consumer.pending.filter((id) => ids.has(id)),
      })),
    })),
  };
}

function list(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
