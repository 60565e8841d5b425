import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../support/data/artefacts.ts';
import {
  editManifest,
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type EditableManifest,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { hasEnded, spawnOwned } from '../../support/servers/owned-process.ts';
import { writeRdb } from '../../support/rdb/rdb-writer.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

interface Prepared {
  server: ManagedServer;
  config: TestConfig;
  id: string;
}

/** A server with a backup, and one more key since. */
async function prepare(): Promise<Prepared> {
  const server = await manageServer();
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'as backed up');
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'as it is now');
  return { server, config, id };
}

async function restore(config: TestConfig, ...args: string[]): Promise<AgentResult> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

const methods = [[], ['--method', 'live'], ['--method', 'files']];
const named = methods.map((words) => ({ words, name: words[1] ?? 'the plan’s own choice' }));

/** Refused by that guard, and nothing changed. `flag`: it names the one that insists. */
async function expectRefused(
  { server, config }: Prepared,
  words: string[],
  { reason, flag }: { reason: string; flag: boolean },
): Promise<void> {
  const pids = await server.pids();
  const { code, json } = await restore(config, ...words);
  expect({ code, ...json.error }).toMatchObject({ code: 'refused', reason });
  expect(String(json.error.hint).includes(`--allow-${reason}`)).toBe(flag);
  expect(await server.pids()).toEqual(pids);
  expect(await server.call('GET', 'key')).toBe('as it is now');
}

/** A real Sentinel that watches the server; it has come to it when this resolves. */
async function watchBySentinel(server: ManagedServer): Promise<void> {
  const folder = makeTempFolder();
  const file = join(folder, 'sentinel.conf');
  const { port } = new URL(server.url);
  const lines = [`port ${await freePort()}`, 'bind 127.0.0.1', `dir ${folder}`];
  writeFileSync(file, [...lines, `sentinel monitor main 127.0.0.1 ${port} 1`, ''].join('\n'));
  const sentinel = spawnOwned(server.build.server, [file, '--sentinel'], folder);
  onTestFinished(async () => {
    sentinel.kill('SIGKILL');
    while (!hasEnded(sentinel)) await delay(10);
    removeTempFolder(folder);
  });
  const hello = ['__sentinel__:hello', 1];
  while (String(await server.call('PUBSUB', 'NUMSUB', '__sentinel__:hello')) !== String(hello))
    await delay(20);
}

describe.each(named)('by $name', ({ words }) => {
  test('a Sentinel that watches', async () => {
    const at = await prepare();
    await watchBySentinel(at.server);
    await expectRefused(at, words, { reason: 'sentinel', flag: true });
  });

  test('a target that is a replica itself', async () => {
    const at = await prepare();
    const master = await startServer({ config: { 'repl-diskless-sync-delay': '0' } });
    await master.call('SET', 'key', 'as it is now');
    await at.server.call('REPLICAOF', '127.0.0.1', master.port);
    while (!String(await at.server.call('INFO', 'replication')).includes('master_link_status:up'))
      await delay(20);
    await expectRefused(at, words, { reason: 'replica', flag: false });
  });

  test('maxmemory smaller than the data', async () => {
    const at = await prepare();
    editManifest(at.config, at.id, (manifest) => (manifest.server.used_memory = 64 * 2 ** 20));
    at.server.configure({ maxmemory: '32mb' });
    await at.server.call('CONFIG', 'SET', 'maxmemory', '32mb');
    await expectRefused(at, words, { reason: 'small-maxmemory', flag: true });
  });

  test('the newest backup is old, unless it is named', async () => {
    const at = await prepare();
    editManifest(at.config, at.id, (manifest) => (manifest.snapshot_at = '2020-01-01T00:00:00.000Z'));
    await expectRefused(at, words, { reason: 'old', flag: true });
    const chosen = await runAgent(['--json', 'restore', at.id, ...words, '--dry-run'], at);
    expect(chosen.json.plan.guards).toEqual([]);
  });

  test('far more keys than the backup has', async () => {
    const at = await prepare();
    await at.server.call('EVAL', "for i = 1, 200 do redis.call('SET', i, i) end", 0);
    await expectRefused(at, words, { reason: 'fewer-keys', flag: true });
  });

  test('a newer RDB than it reads', async () => {
    const at = await prepare();
    editManifest(at.config, at.id, (manifest) => (manifest.rdb_version = 13));
    // Live nobody can insist on what would end the server.
    await expectRefused(at, words, { reason: 'newer-rdb', flag: words[1] !== 'live' });
  });

  test('data of a module that it does not have', async () => {
    const at = await prepare();
    const { bytes } = writeRdb({
      engine: 'redis',
      version: 9,
      checksum: true,
      items: [
        { kind: 'database', database: 0 },
        {
          kind: 'key',
          name: Buffer.from('graph'),
          code: 7,
          contents: {
            data: 'module',
            module: 'graphdata',
            version: 1,
            parts: [{ op: 'unsigned', value: 1n }],
          },
        },
      ],
    });
    replaceDump(at, bytes);
    const pids = await at.server.pids();
    const { code, json } = await restore(at.config, ...words);
    expect(code).not.toBe(0);
    expect(json.error.message).toMatch(
      words[1] === 'live' ? /data of modules/ : /lacks a module: .*graphdata/,
    );
    expect(await at.server.pids()).toEqual(pids);
    expect(await at.server.call('GET', 'key')).toBe('as it is now');
  });
});

test.each(['files', 'live'])('its next start makes it a replica: not %s either', async (method) => {
  const at = await prepare();
  at.server.configure({ replicaof: '127.0.0.1 1' });
  const { code, json } = await restore(at.config, '--method', method);
  expect({ code, ...json.error }).toMatchObject({ code: 'refused', reason: 'replica' });
  expect(json.error.message).toContain('its next start makes it a replica of 127.0.0.1');
  expect(await at.server.call('GET', 'key')).toBe('as it is now');
});

/** As if that had been backed up. */
function replaceDump({ config, id }: Prepared, dump: Buffer): void {
  const stored = zstdCompressSync(dump);
  writeFileSync(join(config.repository, 'main', id, 'dump.rdb.zst'), stored);
  editManifest(config, id, (manifest: EditableManifest) => {
    manifest.artefacts[0].plain = digestOf(dump);
    manifest.artefacts[0].stored = digestOf(stored);
    manifest.keyspace.databases = { 0: { keys: 1, expires: 0 } };
    manifest.content.types = { module: 1 };
  });
}

test('what its configuration says of the AOF is not what it runs with: never live, and files are placed for the next start', async () => {
  const at = await prepare();
  at.server.configure({ appendonly: 'yes' });
  const live = await restore(at.config, '--method', 'live');
  expect(live).toMatchObject({ code: 7, json: { error: { reason: 'next-start' } } });
  const { json } = await runAgent(['--json', 'restore', '--dry-run'], at);
  expect(json).toMatchObject({
    plan: { method: 'files', layout: { authority: 'multi' } },
    why_not: { method: 'live', why: expect.stringContaining('what was restored would be gone') },
  });
  expect(await restore(at.config)).toMatchObject({ code: 0, json: { outcome: 'restored' } });
  await at.server.reconnect();
  expect(await at.server.call('GET', 'key')).toBe('as backed up');
  await at.server.restart();
  expect(await at.server.call('GET', 'key')).toBe('as backed up');
});
