import { describe, expect, test } from 'vitest';
import type { KeyCount } from '../../src/domain/backup.ts';
import { infoKeyspace, parseInfo } from '../../src/formats/info/parse-info.ts';
import { connectRedis } from '../../src/redis/connect.ts';
import { backUp, checkStored, inFolder } from '../support/prove-path.ts';
import { serverBuilds, startServer, type ServerBuild, type TestServer } from '../support/redis-server.ts';
import { proofsOf, serverWithDump } from '../support/stored-backup.ts';

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

  test.each(serverBuilds())('on $name: exact counts', async (build) => {
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

  test('a save that had to wait: its counts are marked as not exact', async () => {
    const server = await startServer({ config: { appendonly: 'yes' } });
    await server.call('DEBUG', 'POPULATE', 400, 'slow');
    const place = inFolder({ server });
    await whileWriting(server, async () => {
      // Half a second and more for the rewrite, which our save has to wait for; none for the save.
      await server.call('CONFIG', 'SET', 'rdb-key-save-delay', 2000);
      await server.call('BGREWRITEAOF');
      await server.call('CONFIG', 'SET', 'rdb-key-save-delay', 0);
      const { id, keyspace } = await backUp(place);
      expect(keyspace.exact).toBe(false);
      const stored = await place.read(id);
      const loaded = await countLoaded(server.build, checkStored(stored));
      expect(loaded).not.toEqual(keyspace.databases);
      const total = Object.values(loaded).reduce((sum, { keys: count }) => sum + count, 0);
      expect(proofsOf(stored)[0]?.summary).toMatch(
        new RegExp(` ${total} keys, which were not counted exactly`),
      );
    });
  });
});
