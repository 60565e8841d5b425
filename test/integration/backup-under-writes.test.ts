import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { KeyCount } from '../../src/domain/backup.ts';
import { infoKeyspace, parseInfo } from '../../src/formats/info/parse-info.ts';
import { connectRedis } from '../../src/redis/connection/connect.ts';
import { backUp, checkStored, inFolder } from '../support/restore/prove-path.ts';
import {
  edgeBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../support/servers/redis-server.ts';
import { proofsOf, serverWithDump } from '../support/stores/stored-backup.ts';

describe('under writes', () => {
  /** Adds, expires and removes keys in three databases as fast as it goes, while `work` lasts. */
  async function whileWriting(server: TestServer, work: () => Promise<void>): Promise<void> {
    const connection = await connectRedis({ name: 'writer', url: server.url });
    const stop = new AbortController();
    const write = async (): Promise<void> => {
      for (let round = 0; !stop.signal.aborted; round++)
        await connection.pipeline([
          ['SELECT', round % 3],
          ...Array.from({ length: 20 }, (_, index) => ['SET', `written:${round}:${index}`, round]),
          ['EXPIRE', `written:${round}:0`, 100_000],
          ...Array.from({ length: round % 20 }, (_, index) => ['DEL', `written:${round - 30}:${index}`]),
        ]);
    };
    const writing = write();
    try {
      await work();
    } finally {
      stop.abort();
      await writing;
      connection.close();
    }
  }

  /** What a fresh server loads. */
  async function countLoaded(build: ServerBuild, dump: Buffer): Promise<Record<string, KeyCount>> {
    const fresh = await serverWithDump(build, dump);
    return infoKeyspace(parseInfo(String(await fresh.call('INFO', 'keyspace'))));
  }

  test.each(edgeBuilds())('on $name: exact counts', async (build) => {
    const server = await startServer({ build });
    const place = inFolder({ server });
    await whileWriting(server, async () => {
      for (let round = 0; round < 2; round++) {
        const { id, keyspace } = await backUp(place);
        expect(keyspace.exact).toBe(true);
        expect(await countLoaded(build, checkStored(await place.read(id)))).toEqual(keyspace.databases);
      }
    });
  });

  test('a save that had to wait: its counts are those of the dump, not of the moment it was asked for', async () => {
    const server = await startServer({ config: { appendonly: 'yes', 'rdb-key-save-delay': '1000' } });
    await server.call('DEBUG', 'POPULATE', 400, 'slow');
    const place = inFolder({ server });
    await server.call('BGREWRITEAOF');
    const rewrite = Number(readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8'));
    process.kill(rewrite, 'SIGSTOP');
    const taking = backUp(place);
    await expect
      .poll(async () => String(await server.call('INFO', 'commandstats')), { interval: 20 })
      .toContain('cmdstat_bgsave:');
    await server.call('SET', 'written-while-it-waited', 'x');
    process.kill(rewrite, 'SIGCONT');

    const { id, keyspace } = await taking;
    expect(keyspace).toEqual({ databases: { 0: { keys: 401, expires: 0 } }, exact: true });
    const stored = await place.read(id);
    expect(await countLoaded(server.build, checkStored(stored))).toEqual({ 0: { keys: 401, expires: 0 } });
    expect(proofsOf(stored)[0]?.summary).toMatch(/ 401 keys as expected$/);
  });
});
