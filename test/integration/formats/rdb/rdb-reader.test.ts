import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RdbRecord } from '../../../../src/formats/rdb/rdb-handler.ts';
import { RdbReader } from '../../../../src/formats/rdb/rdb-reader.ts';
import { ValueDecoder } from '../../../../src/formats/rdb/value-decoder.ts';
import { fillServer } from '../../../support/data/data-set.ts';
import { edgeLengths } from '../../../support/rdb/sample-bytes.ts';
import { everything } from '../../../support/house/tier.ts';
import { serverBuilds, startServer, type TestServer } from '../../../support/servers/redis-server.ts';

/** One key as the file or the server tells of it; `dump` is the value as RESTORE would take it, without its footer. */
interface Told {
  type: string;
  elements: number;
  expires: boolean;
  dump: string;
}
type Database = Map<string, Told>;

/** Elements at the edges where servers change the encoding, and strings at the edges of every length form. */
const atTheEdges = `
  local function many(count, add) for i = 1, count do add(i) end end
  for _, count in ipairs({1, 2, 63, 64, 65, 127, 128, 129, 255, 256, 511, 512, 513, 1025, 16383, 16384, 16385}) do
    many(count, function(i)
      redis.call('RPUSH', 'list:' .. count, i * 7919)
      redis.call('SADD', 'intset:' .. count, i * i * i)
      redis.call('SADD', 'set:' .. count, 'm' .. i)
      redis.call('ZADD', 'zset:' .. count, i / 3, 'm' .. i)
      redis.call('HSET', 'hash:' .. count, 'f' .. i, -i)
      if count < 2000 then redis.call('XADD', 'stream:' .. count, i .. '-1', 'f' .. i % 3, i) end
    end)
    redis.call('EXPIREAT', 'set:' .. count, 4102444800 + count)
  end
  for _, length in ipairs(ARGV) do
    local text = string.rep('x', length)
    redis.call('SET', 'x:' .. length, text)
    redis.call('SET', text, string.rep('0123456789', length / 10), 'PX', 1e12)
    redis.call('RPUSH', 'texts', text)
    redis.call('SADD', 'texts:set', text)
    redis.call('HSET', 'texts:' .. length, text, text)
    redis.call('ZADD', 'texts:zset:' .. length, length, text)
  end
  for power = 0, 63 do
    local value = string.format('%.0f', 2 ^ power)
    redis.call('SET', 'int:' .. value, value)
    redis.call('RPUSH', 'ints', value, '-' .. value)
  end`;

describe.for(serverBuilds().map((build, index) => ({ build, index, name: build.name })))(
  '$name',
  ({ build, index }) => {
    const settings = [
      { rdbcompression: 'yes', rdbchecksum: 'yes', policy: 'noeviction' },
      { rdbcompression: 'no', rdbchecksum: 'no', policy: 'allkeys-lfu' },
      { rdbcompression: 'yes', rdbchecksum: 'no', policy: 'allkeys-lru' },
    ];
    // One for each server in turns, unless everything is run.
    test.for(settings.filter((_, at) => everything || at === index % settings.length))(
      'saves with compression $rdbcompression, checksum $rdbchecksum, $policy',
      async ({ policy, ...config }) => {
        const server = await startServer({ build, config: { ...config, 'maxmemory-policy': policy } });
        await fillServer(server);
        await server.call('SELECT', 3);
        await server.call('EVAL', atTheEdges, 0, ...edgeLengths);
        await server.call('SAVE');
        const read = readDump(server);
        expect(read.crc).toBe(config.rdbchecksum === 'yes' ? 'ok' : 'off');
        expect(read.databases.get(3)?.size).toBeGreaterThan(200);
        expect(read.used).toEqual({ frequency: policy === 'allkeys-lfu', idle: policy === 'allkeys-lru' });
        const asked = await askServer(server, [...read.databases.keys()]);
        for (const [database, keys] of asked)
          expect(Object.fromEntries(read.databases.get(database) ?? [])).toEqual(Object.fromEntries(keys));
      },
    );
  },
);

function readDump({ dumpPath }: TestServer): {
  crc: string;
  databases: Map<number, Database>;
  used: { idle: boolean; frequency: boolean };
} {
  const databases = new Map<number, Database>();
  const used = { idle: true, frequency: true };
  const record = (found: RdbRecord, raw: Uint8Array | null | undefined): void => {
    const keys = databases.get(found.database) ?? new Map<string, Told>();
    databases.set(found.database, keys);
    if (found.idle < 0) used.idle = false;
    if (found.frequency < 0) used.frequency = false;
    keys.set(Buffer.from(found.bytes.subarray(found.keyFrom, found.keyTo)).toString('latin1'), {
      type: found.type.data,
      elements: found.elements,
      expires: found.expiresAt >= 0,
      dump: Buffer.concat([Buffer.of(found.type.code), raw ?? Buffer.of()]).toString('hex'),
    });
  };
  const bytes = readFileSync(dumpPath);
  const reader = new RdbReader({ wish: () => 'raw', record });
  for (let at = 0; at < bytes.length; at += 65_521) reader.update(bytes.subarray(at, at + 65_521));
  const { crc } = reader.finish();
  // The decoder, too, finds nothing amiss in what a server wrote.
  const deep = new RdbReader({ wish: () => 'tokens' }, { sink: new ValueDecoder() });
  deep.update(bytes);
  deep.finish();
  return { crc, databases, used };
}

const lengthCommands: Record<string, string> = {
  list: 'LLEN',
  set: 'SCARD',
  zset: 'ZCARD',
  hash: 'HLEN',
  stream: 'XLEN',
};

async function askServer({ port }: TestServer, databases: number[]): Promise<Map<number, Database>> {
  const client = new Redis({ port, protocol: 2, lazyConnect: true, disableClientInfo: true });
  onTestFinished(() => client.disconnect());
  const asked = new Map<number, Database>();
  for (const database of databases) {
    await client.select(database);
    const names = await client.keysBuffer('*');
    expect(names.length).toBe(await client.dbsize());
    const keys: Database = new Map();
    for (const name of names) {
      const type = await client.type(name);
      const [elements, ttl, dump] = await Promise.all([
        type === 'string' ? 1 : client.call(lengthCommands[type] ?? '', name),
        client.pttl(name),
        client.dumpBuffer(name),
      ]);
      const value = dump.subarray(0, -10).toString('hex');
      keys.set(name.toString('latin1'), { type, elements: Number(elements), expires: ttl >= 0, dump: value });
    }
    asked.set(database, keys);
  }
  return asked;
}
