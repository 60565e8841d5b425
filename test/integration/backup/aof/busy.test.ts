import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectRedis } from '../../../../src/redis/connection/connect.ts';
import { startAofServer } from '../../../support/data/aof.ts';
import { runAgent, writeConfig } from '../../../support/agent/cli.ts';
import { edgeBuilds, startServer, type TestServer } from '../../../support/servers/redis-server.ts';

const builds = edgeBuilds().map((build) => [build.name, build] as const);
const isSingle = (server: TestServer): boolean => Number.parseInt(server.build.version, 10) < 7;

/** Two counters that only ever rise together, and rewrites without a pause, while `work` lasts. */
async function whileBusy(server: TestServer, work: () => Promise<void>): Promise<void> {
  const connection = await connectRedis({ name: 'writer', url: server.url });
  const stop = new AbortController();
  const transaction = [['MULTI'], ['INCR', 'a'], ['INCR', 'b'], ['EXEC']];
  const write = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const commands = Array.from({ length: 50 }, () => transaction).flat();
      await connection.pipeline([...commands, ['BGREWRITEAOF']]);
    }
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

test.each(builds)('%s: under looping rewrites and transactions every one loads', async (_, build) => {
  const server = await startAofServer(build);
  await server.call('DEBUG', 'POPULATE', 1000);
  await server.call('MSET', 'a', 0, 'b', 0);
  const config = writeConfig({ server, settings: { verify: { load: true } } });
  const ids: string[] = [];
  await whileBusy(server, async () => {
    for (let round = 0; round < 3; round++) {
      const { code, json } = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
      expect({ code, json }).toMatchObject({ code: 0, json: { verification: { level: 'loaded' } } });
      expect(json.backup.keyspace).toMatchObject({ exact: true, databases: { 0: { keys: 1002 } } });
      ids.push(json.backup.id);
    }
  });
  // No transaction is half in it.
  const folder = join(config.folder, 'unpacked');
  expect((await runAgent(['restore', ids.at(-1)!, '--to', folder], { config })).code).toBe(0);
  const dir = join(folder, 'server');
  mkdirSync(dir);
  const unpacked = join(folder, `${ids.at(-1)}.aof`);
  if (isSingle(server)) renameSync(join(unpacked, 'appendonly.aof'), join(dir, 'appendonly.aof'));
  else renameSync(unpacked, join(dir, 'appendonlydir'));
  // What root has unpacked, root alone can read.
  const copy = await startServer({ build, asRoot: true, config: { dir, appendonly: 'yes' } });
  expect(await copy.call('GET', 'a')).toBe(await copy.call('GET', 'b'));
});
