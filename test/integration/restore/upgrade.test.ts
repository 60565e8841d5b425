import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { expectOk } from '../../support/restore/prove-path.ts';
import { findBuild, startServer, type ServerBuild } from '../../support/servers/redis-server.ts';
import { sampled } from '../../support/house/tier.ts';
import { serverWithDump } from '../../support/stores/stored-backup.ts';

type Version = readonly ['redis' | 'valkey', string];

/** From a server to a newer one, as when a lost host is replaced; a usual run takes each second way. */
const paths: readonly (readonly [from: Version, to: Version, method: 'files' | 'live', aof: boolean])[] = [
  [['redis', '6'], ['redis', '7.0'], 'files', true],
  [['redis', '6'], ['valkey', '8'], 'live', false],
  [['redis', '6'], ['redis', '8.0'], 'live', true],
  [['redis', '6'], ['valkey', '9'], 'files', true],
  [['redis', '7.0'], ['redis', '8.0'], 'files', false],
  [['redis', '7.0'], ['valkey', '8'], 'files', true],
  [['redis', '7.0'], ['valkey', '9'], 'live', true],
  [['valkey', '8'], ['valkey', '9'], 'live', false],
  [['valkey', '8'], ['valkey', '9'], 'files', true],
];

function buildOf([engine, version]: Version): ServerBuild {
  const build = findBuild(engine, version);
  if (build === undefined) throw new Error(`no ${engine} ${version} here: scripts/fetch-servers`);
  return build;
}

test.each(
  sampled(paths, 2).map(([from, to, method, aof]) => ({ from: buildOf(from), to: buildOf(to), method, aof })),
)('from $from.name to $to.name, $method, AOF $aof', async ({ from, to, method, aof }) => {
  const old = await startServer({ build: from, config: { appendonly: 'yes' } });
  const config = writeConfig({ server: old });
  await fillServer(old);
  await takeBackup(config, '--no-verify');
  // Newer servers say more of a stream, and write scores in another way: so they are asked what is in it themselves.
  await old.call('SAVE');
  const loaded = await serverWithDump(to, readFileSync(old.dumpPath));
  const held = await describeData(loaded);
  await Promise.all([old.stop(), loaded.stop()]);

  const server = await manageServer({ build: to, config: { appendonly: aof ? 'yes' : 'no' } });
  config.rewrite({ instances: [server.instance] });
  await server.call('SET', 'of the new server', 'x');
  const more = method === 'live' ? ['--no-pre-backup'] : [];
  expectOk(await runAgent(['--json', 'restore', '--yes', '--method', method, ...more], { config }));
  await server.reconnect();
  expect(await describeData(server)).toEqual(held);
  await server.restart();
  expect(await describeData(server)).toEqual(held);
});

test.each([
  [
    ['redis', '8.0'],
    ['redis', '7.0'],
  ],
  [
    ['redis', '8.0'],
    ['valkey', '8'],
  ],
  [
    ['valkey', '9'],
    ['redis', '8.0'],
  ],
] as const)('from %s back to %s: refused by either method, nothing is touched', async (from, to) => {
  const old = await startServer({ build: buildOf(from) });
  const config = writeConfig({ server: old });
  await old.call('SET', 'key', 'newer');
  await takeBackup(config, '--no-verify');
  await old.stop();
  const server = await manageServer({ build: buildOf(to) });
  config.rewrite({ instances: [server.instance] });
  await server.call('SET', 'key', 'as it was');
  for (const method of ['files', 'live']) {
    const { code, json } = await runAgent(['--json', 'restore', '--yes', '--method', method], { config });
    expect({ method, code, ...json.error }).toMatchObject({ method, reason: 'newer-rdb' });
    expect(code).toBe(7);
  }
  expect(await server.call('GET', 'key')).toBe('as it was');
});

test('from Valkey 8 to 9 with an entry that 9.1 would end at: refused by either method, nothing is touched', async () => {
  const old = await startServer({ build: buildOf(['valkey', '8']) });
  const config = writeConfig({ server: old });
  await old.call('XADD', 'stream', '*', 'field', 'x'.repeat(16_378));
  const id = await takeBackup(config, '--no-verify');
  await old.stop();
  const server = await manageServer({ build: buildOf(['valkey', '9']) });
  config.rewrite({ instances: [server.instance] });
  await server.call('SET', 'key', 'as it was');
  for (const [method, reason] of [
    ['files', 'load'],
    ['live', 'listpacks'],
  ] as const) {
    const { json } = await runAgent(['--json', 'restore', '--yes', '--method', method], { config });
    expect({ method, ...json.error }).toMatchObject({ reason, hint: expect.stringContaining('--keys') });
  }
  expect(await server.call('GET', 'key')).toBe('as it was');
  // As both say.
  const into = ['--json', 'restore', id, '--keys', '*', '--into', String(server.instance['url']), '--yes'];
  expectOk(await runAgent(into, { config }));
  expect(await server.call('XLEN', 'stream')).toBe(1);
});
