import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rewriteAof } from '../../support/data/aof.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds } from '../../support/servers/redis-server.ts';

const builds = edgeBuilds().map((build) => [build.name, build] as const);

async function writeLater(server: ManagedServer): Promise<unknown> {
  await server.call('FLUSHALL');
  await server.call('SET', 'written after the backup', 'x');
  return await describeData(server);
}

test.each(builds)('%s: a backup of the AOF comes back, and what it replaced does too', async (_, build) => {
  const server = await manageServer({ build, config: { appendonly: 'yes' } });
  const config = writeConfig({ instances: [server.instance] });
  await fillServer(server);
  await rewriteAof(server);
  await server.call('SET', 'after the rewrite', 'x');
  const backedUp = await describeData(server);
  const taken = await runAgent(['--json', 'backup', '--kind', 'aof', '--no-verify'], { config });
  expect(taken.code).toBe(0);
  const { id } = taken.json.backup;
  const later = await writeLater(server);

  const restore = ['--json', 'restore', '--yes', '--method', 'files'];
  const restored = await runAgent(restore, { config });
  expect(restored).toMatchObject({ code: 0, json: { outcome: 'restored', plan: { backup: id } } });
  expect(restored.json.proven).toMatch(/loaded in a scratch server$/);
  await server.reconnect();
  expect(await describeData(server)).toEqual(backedUp);
  for (const path of restored.json.set_aside) expect(existsSync(path)).toBe(true);
  // It goes on writing behind what was restored, and only the next start shows what is on its disk.
  await server.call('SET', 'after the restore', 'x');
  await server.restart();
  expect(await server.call('DEL', 'after the restore')).toBe(1);
  expect(await describeData(server)).toEqual(backedUp);

  const undone = await runAgent(['--json', 'restore', '--undo', '--yes'], { config });
  expect(undone).toMatchObject({ code: 0, json: { outcome: 'undone', undo: { backup: id } } });
  await server.reconnect();
  expect(await describeData(server)).toEqual(later);
  await server.restart();
  expect(await describeData(server)).toEqual(later);
  const journals = join(server.dir, '.redis-agent-restore');
  expect(readdirSync(journals).filter((name) => name !== 'server.log')).toHaveLength(2);
});

test.each(builds)('%s: also of a server whose commands have other names', async (_, build) => {
  const server = await manageServer({
    build,
    config: { appendonly: 'yes', 'rename-command': 'SET REPLACE' },
  });
  const config = writeConfig({ instances: [server.instance] });
  await server.call('REPLACE', 'key', 'as backed up');
  const taken = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
  // A scratch server knows the server's own version, and not its names.
  expect(taken).toMatchObject({ code: 0, json: { verification: { level: 'checked' } } });
  expect(taken.json.verification.summary).toMatch(/no deeper: .*unknown command 'REPLACE'/i);
  await server.call('REPLACE', 'key', 'as it is now');

  const restored = await runAgent(['--json', 'restore', '--yes'], { config });
  expect(restored).toMatchObject({ code: 0, json: { outcome: 'restored' } });
  expect(restored.json.proven).toMatch(/^checked with .*; not loaded: .*unknown command 'REPLACE'/i);
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  await server.restart();
  expect(await server.call('GET', 'key')).toBe('as backed up');
});
