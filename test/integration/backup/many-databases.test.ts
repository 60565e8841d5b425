import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { manifestPath, runAgent, writeConfig } from '../../support/agent/cli.ts';
import { defaultBuild, startServer } from '../../support/servers/redis-server.ts';

test('a server with two thousand databases is backed up, proven and rehearsed, by dump and by AOF', async () => {
  const server = await startServer({
    build: defaultBuild(),
    config: { databases: '2000', appendonly: 'yes', 'aof-use-rdb-preamble': 'no' },
  });
  await server.call('SET', 'a', '1');
  await server.call('SELECT', 1500);
  await server.call('MSET', 'b', '1', 'c', '1');
  const config = writeConfig({ server });
  const agent = async (...args: string[]): Promise<Awaited<ReturnType<typeof runAgent>>> => {
    const found = await runAgent([...args, '--json'], { config });
    expect({ code: found.code, stderr: found.stderr }).toMatchObject({ code: 0 });
    return found;
  };
  for (const kind of ['rdb', 'aof']) {
    const { json } = await agent('backup', '--kind', kind);
    const { id } = json.backup;
    expect(JSON.parse(readFileSync(manifestPath(config, id), 'utf8')).keyspace).toMatchObject({
      databases: { 0: { keys: 1 }, 1500: { keys: 2 } },
      exact: true,
    });
    await agent('backups', 'verify', id, '--load');
    await agent('drill', id);
  }
  await agent('aof', 'check', '--deep');
});
