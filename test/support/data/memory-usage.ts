import { readFileSync } from 'node:fs';
import { RdbReader } from '../../../src/formats/rdb/rdb-reader.ts';
import { estimateMemory, memoryModelFor, type MemoryModel } from '../../../src/keyspace/memory-model.ts';
import type { TestServer } from '../servers/redis-server.ts';

/** A key's memory: as estimated from a file, and as the server says that loaded this file. Bytes. */
export interface MeasuredKey {
  key: string;
  type: string;
  encoding: string;
  /** As in RdbRecord. */
  strings: number;
  plainBytes: number;
  expires: boolean;
  estimate: number;
  usage: number;
}

/**
 * Saves, reads the file, lets the server load it, and asks it for every key of database 0, whose names must be ASCII.
 * What a key takes while it is written to depends on its past: spare room, tables that grow.
 */
export async function measureMemory(server: TestServer): Promise<MeasuredKey[]> {
  await server.call('SAVE');
  const keys = estimates(server.dumpPath);
  await server.call('DEBUG', 'RELOAD', 'NOSAVE');
  const sizes = await askFor(server, keys, (key) => ['MEMORY', 'USAGE', key, 'SAMPLES', 0]);
  keys.forEach((key, index) => (key.usage = Number(sizes[index])));
  if (server.build.name === 'valkey-8.1') await addKeys(server, keys);
  return keys;
}

/**
 * Valkey 8.1 has keys in their values' objects, of which MEMORY USAGE counts only the 16 bytes of one without a key,
 * unless it has the string too (embstr). Its used_memory shows that it takes what Valkey 9 says.
 */
async function addKeys(server: TestServer, keys: MeasuredKey[]): Promise<void> {
  const encodings = await askFor(server, keys, (key) => ['OBJECT', 'ENCODING', key]);
  keys.forEach((key, index) => {
    if (encodings[index] === 'embstr') return;
    const { length } = key.key;
    const header = length < 32 ? 2 : length < 256 ? 4 : 6;
    const bytes = 16 + 1 + header + length + (key.expires || length >= 128 ? 8 : 0);
    const step = bytes <= 128 ? 16 : 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
    key.usage += Math.ceil(bytes / step) * step - 16;
  });
}

async function askFor(
  { connection }: TestServer,
  keys: MeasuredKey[],
  command: (key: string) => (string | number)[],
): Promise<unknown[]> {
  const replies: unknown[] = [];
  for (let at = 0; at < keys.length; at += 1000)
    replies.push(...(await connection.pipeline(keys.slice(at, at + 1000).map(({ key }) => command(key)))));
  return replies;
}

function estimates(path: string): MeasuredKey[] {
  const keys: MeasuredKey[] = [];
  let valkey = '';
  let model: MemoryModel | undefined;
  let version: Parameters<typeof memoryModelFor>[0] | undefined;
  const reader = new RdbReader({
    start: (found) => (version = found),
    aux: (name, value) => {
      if (name === 'valkey-ver') valkey = value;
    },
    record(record) {
      model ??= memoryModelFor(version!, valkey);
      const { bytes, keyFrom, keyTo, type, integer } = record;
      keys.push({
        key: Buffer.from(bytes.subarray(keyFrom, keyTo)).toString('latin1'),
        type: type.data,
        encoding: integer ? 'int' : type.encoding,
        strings: record.strings,
        plainBytes: record.plainBytes,
        expires: record.expiresAt >= 0,
        estimate: estimateMemory(record, model),
        usage: 0,
      });
    },
  });
  reader.update(readFileSync(path));
  reader.finish();
  return keys;
}
