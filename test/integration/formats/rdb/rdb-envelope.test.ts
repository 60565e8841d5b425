import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RdbEnvelope, type EnvelopeVerdict } from '../../../../src/formats/rdb/rdb-envelope.ts';
import { startServer } from '../../../support/servers/redis-server.ts';

function verdictOf(path: string): EnvelopeVerdict & { bytes: number } {
  const rdb = readFileSync(path);
  const envelope = new RdbEnvelope(rdb.length);
  envelope.update(rdb);
  return { bytes: rdb.length, ...envelope.finish() };
}

test("the CRC64 is the one that a server writes, below and above the fold's threshold", async () => {
  const server = await startServer();
  await server.call('SAVE');
  expect(verdictOf(server.dumpPath)).toMatchObject({ sound: true, crc: 'ok' });
  for (let i = 0; i < 400; i++) await server.call('SET', `key:${i}`, `${i}:${Math.random()}`.repeat(100));
  await server.call('CONFIG', 'SET', 'rdbcompression', 'no');
  await server.call('SAVE');
  const large = verdictOf(server.dumpPath);
  expect(large).toMatchObject({ sound: true, crc: 'ok' });
  expect(large.bytes).toBeGreaterThan(300_000);
});

test('a server with rdbchecksum no writes no CRC64', async () => {
  const server = await startServer({ config: { rdbchecksum: 'no' } });
  await server.call('SET', 'key', 'value');
  await server.call('SAVE');
  expect(verdictOf(server.dumpPath)).toMatchObject({ sound: true, crc: 'off' });
});
