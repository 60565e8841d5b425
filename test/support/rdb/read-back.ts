import type { Redis } from 'ioredis';
import type { Contents, KeyModel, StreamContents } from './model.ts';
import { compareIds } from './stream-writer.ts';
import { scoreText } from './value-writer.ts';

/** A reply with every string as its bytes. */
type RawReply = Buffer | number | null | RawReply[];

/** A server's answers about one key, and what they should be, both as text that can be compared. */
export interface Answers {
  asked: unknown;
  expected: unknown;
}

async function askRaw(
  client: Redis,
  command: string,
  ...args: (string | Buffer | number)[]
): Promise<RawReply> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- RESP2 replies have exactly these shapes
  return (await client.callBuffer(command, ...args)) as RawReply;
}

/** All of what a key holds and when it expires, by plain commands. */
export async function readBack(client: Redis, key: KeyModel): Promise<Answers> {
  const name = Buffer.from(key.name);
  const ttl = Number(await askRaw(client, 'PTTL', name));
  const minute = 60_000;
  const asked = {
    type: shown(await askRaw(client, 'TYPE', name)),
    minute: ttl < 0 ? ttl : Math.round((Date.now() + ttl) / minute),
    contents: await contentsOf(client, name, key.contents),
  };
  const expected = {
    type: shown(Buffer.from(key.contents.data)),
    minute: key.expiry === undefined ? -1 : Math.round(key.expiry.at / minute),
    contents: expectedContents(key.contents),
  };
  return { asked, expected };
}

/** Binary text, readable where it can be. */
function shown(reply: RawReply): string {
  if (Array.isArray(reply)) return `[${reply.map(shown).join(' ')}]`;
  return Buffer.isBuffer(reply) ? JSON.stringify(reply.toString('latin1')) : String(reply);
}

const text = (bytes: Uint8Array): string => shown(Buffer.from(bytes));

async function contentsOf(client: Redis, name: Buffer, { data }: Contents): Promise<unknown> {
  const list = async (command: string, ...rest: string[]): Promise<RawReply[]> => {
    const reply = await askRaw(client, command, name, ...rest);
    if (!Array.isArray(reply)) throw new Error(`${command} gave ${shown(reply)}`);
    return reply;
  };
  switch (data) {
    case 'string':
      return shown(await askRaw(client, 'GET', name));
    case 'list':
      return (await list('LRANGE', '0', '-1')).map(shown);
    case 'set':
      return (await list('SMEMBERS')).map(shown).toSorted();
    case 'zset':
      return inTwos(await list('ZRANGE', '0', '-1', 'WITHSCORES'))
        .map(([member, score]) => `${shown(member)} ${scoreOf(String(score))}`)
        .toSorted();
    case 'hash':
      return await hashOf(client, name, inTwos(await list('HGETALL')));
    case 'stream':
      return await streamOf(client, name, await list('XRANGE', '-', '+'));
    case 'module':
      break;
  }
  throw new Error('a server needs the module');
}

function expectedContents(contents: Contents): unknown {
  switch (contents.data) {
    case 'string':
      return text(contents.bytes);
    case 'list':
      return contents.items.map(text);
    case 'set':
      return contents.items.map(text).toSorted();
    case 'zset':
      return contents.items
        .map(([member, score]) => `${text(member)} ${scoreOf(Buffer.from(scoreText(score)).toString())}`)
        .toSorted();
    case 'hash':
      return contents.items
        .map(([field, value, at]) => `${text(field)} ${text(value)} ${at ?? -1}`)
        .toSorted();
    case 'stream':
      return expectedStream(contents.stream);
    case 'module':
      break;
  }
  throw new Error('a server needs the module');
}

const inTwos = (flat: RawReply[]): [RawReply, RawReply][] =>
  flat.flatMap((first, at) => (at % 2 === 0 ? [[first, flat[at + 1] ?? null] as [RawReply, RawReply]] : []));

/** Servers of different age print the same number differently. */
function scoreOf(printed: string): number {
  if (printed === 'inf') return Infinity;
  return printed === '-inf' ? -Infinity : Number(printed) + 0;
}

async function hashOf(client: Redis, name: Buffer, pairs: [RawReply, RawReply][]): Promise<string[]> {
  const fields = pairs.map(([field]) => (Buffer.isBuffer(field) ? field : Buffer.alloc(0)));
  const times =
    fields.length === 0
      ? []
      : await askRaw(client, 'HPEXPIRETIME', name, 'FIELDS', fields.length, ...fields).catch(() => null);
  return pairs
    .map(
      ([field, value], at) =>
        `${shown(field)} ${shown(value)} ${Array.isArray(times) ? shown(times[at] ?? -1) : -1}`,
    )
    .toSorted();
}

async function streamOf(client: Redis, name: Buffer, entries: RawReply[]): Promise<unknown> {
  const groups = await askRaw(client, 'XINFO', 'GROUPS', name);
  const described = [];
  for (const group of Array.isArray(groups) ? groups : []) {
    const facts = new Map(
      inTwos(Array.isArray(group) ? group : []).map(([fact, value]) => [String(fact), value]),
    );
    const groupName = facts.get('name');
    const pending = await askRaw(
      client,
      'XPENDING',
      name,
      Buffer.isBuffer(groupName) ? groupName : '',
      '-',
      '+',
      1000,
    );
    described.push([
      ...['name', 'consumers', 'pending', 'last-delivered-id'].map((fact) => shown(facts.get(fact) ?? null)),
      (Array.isArray(pending) ? pending : []).map((each) =>
        Array.isArray(each) ? [each[0], each[1], each[3]].map((part) => shown(part ?? null)).join(' ') : '',
      ),
    ]);
  }
  return { entries: entries.map(shown), groups: described.map(String).toSorted() };
}

function expectedStream({ entries, groups }: StreamContents): unknown {
  const id = (value: readonly [bigint, bigint]): string => JSON.stringify(value.join('-'));
  return {
    entries: entries
      .filter(({ deleted }) => !deleted)
      .map(
        (entry) =>
          `[${id(entry.id)} [${entry.fields.flatMap((field, at) => [text(field), text(entry.values[at] ?? field)]).join(' ')}]]`,
      ),
    groups: groups
      .map(({ name, lastId, consumers }) =>
        String([
          text(name),
          String(consumers.length),
          String(consumers.flatMap(({ pending }) => pending).length),
          id(lastId),
          consumers
            .flatMap((consumer) => consumer.pending.map((one) => ({ ...one, name: consumer.name })))
            .toSorted((a, b) => compareIds(a.id, b.id))
            .map((one) => `${id(one.id)} ${text(one.name)} ${one.deliveries}`),
        ]),
      )
      .toSorted(),
  };
}
