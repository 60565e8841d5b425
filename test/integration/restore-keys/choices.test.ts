import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSettings } from '../../../src/config/load.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { takeLock } from '../../../src/state/locks/lock.ts';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { connectBinary } from '../../support/servers/binary-client.ts';
import { addOverdue, overdue } from '../../support/data/data-set.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

interface Scene {
  source: TestServer;
  target: TestServer;
  config: TestConfig;
  /** `restore latest --into TARGET …`. */
  restore: (...args: string[]) => Promise<AgentResult>;
}

/** A backup of a few keys of each type in two databases, and an empty server. */
async function scene(): Promise<Scene> {
  const source = await startServer();
  const target = await startServer();
  await fill(source);
  const config = writeConfig({ server: source });
  await takeBackup(config, '--no-verify', '--no-prune');
  const restore = async (...args: string[]): Promise<AgentResult> =>
    await runAgent(['restore', 'latest', '--into', target.url, ...args], { config });
  return { source, target, config, restore };
}

async function fill(server: TestServer): Promise<void> {
  for (const database of [0, 3]) {
    await server.call('SELECT', database);
    for (const name of ['user:1', 'user:2', 'session:1', 'other'])
      await server.call('SET', name, `${name} of ${database}`);
    await server.call('RPUSH', 'list', 'a', 'b');
    await server.call('HSET', 'hash', 'field', 'value');
    await server.call('XADD', 'stream', '1-1', 'a', 'b');
  }
  await server.call('SELECT', 0);
}

async function keysOf(server: TestServer, database = 0): Promise<string[]> {
  await server.call('SELECT', database);
  const keys = await server.call('KEYS', '*');
  await server.call('SELECT', 0);
  return Array.isArray(keys) ? keys.map(String).toSorted() : [];
}

const all = ['hash', 'list', 'other', 'session:1', 'stream', 'user:1', 'user:2'];

test('patterns, one or several, choose keys of every database', async () => {
  const { target, restore } = await scene();
  const { code, json } = await restore('--keys', 'user:*', '--keys', 's[et]*', '--yes', '--json');
  expect([code, json.result]).toMatchObject([0, { written: 8, passed: 6, failed: [] }]);
  for (const database of [0, 3])
    expect(await keysOf(target, database)).toEqual(['session:1', 'stream', 'user:1', 'user:2']);
});

test('--type and --db choose too, and --to-db says where to', async () => {
  const { target, restore } = await scene();
  await restore('--keys', '*', '--type', 'string', '--db', '3', '--to-db', '7', '--yes');
  expect([await keysOf(target), await keysOf(target, 3), await keysOf(target, 7)]).toEqual([
    [],
    [],
    ['other', 'session:1', 'user:1', 'user:2'],
  ]);
  await target.call('SELECT', 7);
  expect(await target.call('GET', 'user:1')).toBe('user:1 of 3');
});

test('keys of two databases are not mixed in one', async () => {
  const { target, restore } = await scene();
  const { code, json } = await restore('--keys', '*', '--to-db', '7', '--yes', '--json');
  expect([code, json.error]).toMatchObject([
    7,
    { reason: 'databases', hint: expect.stringContaining('--db') },
  ]);
  expect(await keysOf(target, 7)).toEqual([]);
});

test('a database that the target lacks is named, and whatever has another is written', async () => {
  const { restore, config } = await scene();
  const small = await startServer({ config: { databases: '2' } });
  const into = ['restore', 'latest', '--into', small.url, '--keys', '*', '--json', '--yes'];
  const { code, json } = await runAgent(into, { config });
  expect([code, json.result.written, json.result.failed]).toMatchObject([
    1,
    7,
    [{ keys: 7, reason: expect.stringContaining('no database 3') }],
  ]);
  expect(await keysOf(small)).toEqual(all);
  const nowhere = await restore('--keys', '*', '--db', '0', '--to-db', '99', '--yes');
  expect([nowhere.code, nowhere.stdout]).toEqual([1, expect.stringContaining('no database 99')]);
});

test('a dry run tells all of it and writes nothing', async () => {
  const { target, restore } = await scene();
  await target.call('SET', 'user:1', 'mine');
  const { code, json } = await restore('--keys', '*', '--skip-existing', '--dry-run', '--json');
  expect([code, json.result, json.plan.survey, json.plan.keys]).toMatchObject([
    0,
    null,
    { keys: 14, existing: 1, existing_examples: ['user:1'], types: { string: { keys: 8 } } },
    { patterns: ['*'], database: null, type: null, to_database: null },
  ]);
  expect([await keysOf(target), await keysOf(target, 3)]).toEqual([['user:1'], []]);
  expect(String(await target.call('INFO', 'stats'))).toContain('expired_keys:0');
  const shown = await restore('--keys', '*', '--skip-existing', '--dry-run');
  expect(shown.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(shown.stdout).toContain('from  backup');
});

test('keys that are there stop it before anything is written', async () => {
  const { target, restore } = await scene();
  await target.call('SET', 'user:1', 'mine');
  const { code, json } = await restore('--keys', '*', '--yes', '--json');
  expect([code, json.error]).toMatchObject([
    7,
    {
      reason: 'exists',
      message: expect.stringMatching(/already has 1 of these 14 keys \(user:1\): nothing was written/),
      hint: expect.stringMatching(/--replace.*--skip-existing/),
    },
  ]);
  expect([await keysOf(target), await target.call('GET', 'user:1')]).toEqual([['user:1'], 'mine']);
});

test.each([
  ['RESTORE', []],
  ['plain commands', ['-restore']],
])(
  '--skip-existing leaves them, by %s, and --replace overwrites them, whatever their type',
  async (_how, rights) => {
    const { target, restore } = await scene();
    await target.call('ACL', 'SETUSER', 'default', ...rights);
    await target.call('SADD', 'user:1', 'mine');
    await target.call('SET', 'list', 'mine', 'EX', 1000);
    const skipped = await restore('--keys', '*', '--skip-existing', '--yes', '--json');
    expect([skipped.code, skipped.json.result]).toMatchObject([0, { written: 12, existing: 2, failed: [] }]);
    expect([await target.call('TYPE', 'user:1'), await target.call('GET', 'list')]).toEqual(['set', 'mine']);
    const replaced = await restore('--keys', '*', '--replace', '--yes', '--json');
    expect([replaced.code, replaced.json.result]).toMatchObject([
      0,
      { written: 14, existing: 0, failed: [] },
    ]);
    expect([await target.call('GET', 'user:1'), await target.call('LRANGE', 'list', 0, -1)]).toEqual([
      'user:1 of 0',
      ['a', 'b'],
    ]);
    expect(await target.call('TTL', 'list')).toBe(-1);
    expect(await keysOf(target)).toEqual(all);
  },
);

test('a terminal is asked with the plan in view; without one it takes --yes', async () => {
  const { target, config } = await scene();
  const into = ['restore', 'latest', '--into', target.url, '--keys', 'user:*'];
  const without = await runAgent(into, { config });
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  const no = await runAgent(into, { config, terminal: 'n\n' });
  expect([no.code, no.stdout, await keysOf(target)]).toEqual([0, 'nothing was changed\n', []]);
  const yes = await runAgent(into, { config, terminal: 'y\n' });
  expect(yes.stderr).toMatch(/what {2}4 keys.*\n[^]*Write these keys into 127\.0\.0\.1:\d+\?/);
  expect([yes.code, await keysOf(target)]).toEqual([0, ['user:1', 'user:2']]);
});

test('a pattern that matches nothing is said, and nobody is asked', async () => {
  const { restore } = await scene();
  const { code, stdout } = await restore('--keys', 'usr:*');
  expect([code, stdout]).toEqual([0, expect.stringContaining('no key matches')]);
});

test('keys whose time was over when they were saved are counted and not written', async () => {
  const { source, target, config, restore } = await scene();
  await addOverdue(source);
  await takeBackup(config, '--no-verify', '--no-prune');
  const { code, json } = await restore('--keys', 'overdue:*', '--yes', '--json');
  expect([code, json.result]).toMatchObject([
    0,
    { written: 0, expired: overdue.keys * overdue.databases.length },
  ]);
  expect(await keysOf(target)).toEqual([]);
});

test('names and values of any bytes arrive as they were, and match by their bytes', async () => {
  const { source, target, config } = await scene();
  const key = Buffer.from([0, 255, 254, 13, 10, 128, 42]);
  const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  using from = connectBinary(source);
  using to = connectBinary(target);
  await from.call('SET', key, value);
  await from.call('SET', Buffer.from('user:\xe9', 'latin1'), value);
  await takeBackup(config, '--no-verify', '--no-prune');
  const run = await runAgent(
    ['restore', 'latest', '--into', target.url, '--keys', '[^a-z]*', '--keys', 'user:?', '--yes', '--json'],
    { config },
  );
  expect([run.code, run.json.result.failed]).toEqual([0, []]);
  expect(await to.call('GET', key)).toBe(value.toString('latin1'));
  expect(await to.call('GET', Buffer.from('user:\xe9', 'latin1'))).toBe(value.toString('latin1'));
});

test('into a server that is being restored nothing is written: it would go with what is replaced', async () => {
  const { source, config, restore } = await scene();
  const { state } = (await loadSettings(config.path, { env: {} })).settings;
  const words = ['--keys', '*', '--replace', '--yes', '--into', source.url];
  const into = async (): Promise<AgentResult> => await runAgent(['restore', 'latest', ...words], { config });
  {
    using _ = takeLock(state.path, {
      instance: 'main',
      kind: 'repository',
      job: 'restore',
      clock: systemClock,
    });
    expect(await into()).toMatchObject({
      code: 8,
      stderr: expect.stringMatching(/instance main is being restored \(restore, pid .*wait for it to end/),
    });
    expect(await restore('--keys', '*', '--yes')).toMatchObject({ code: 0 });
  }
  using _ = takeLock(state.path, { instance: 'main', kind: 'repository', job: 'backup', clock: systemClock });
  expect(await into()).toMatchObject({ code: 0 });
});

test('a dump that is damaged at its end writes nothing, since that shows only there', async () => {
  const { source, target, config } = await scene();
  await source.call('SAVE');
  const bytes = readFileSync(source.dumpPath);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const path = join(config.folder, 'damaged.rdb');
  writeFileSync(path, bytes);
  const { code } = await runAgent(['restore', path, '--into', target.url, '--keys', '*', '--yes'], {
    config,
  });
  expect([code, await keysOf(target)]).toEqual([6, []]);
});

test('nor does a backup that is damaged there and is stored as it is', async () => {
  const { source, target } = await scene();
  const config = writeConfig({ server: source, uncompressed: true });
  const id = await takeBackup(config);
  const path = join(config.repository, 'main', id, 'dump.rdb');
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const { code } = await runAgent(['restore', id, '--into', target.url, '--keys', '*', '--yes'], { config });
  expect([code, await keysOf(target)]).toEqual([6, []]);
});

test.each([
  ['--db', ''],
  ['--db', 'one'],
  ['--to-db', '1e1'],
])('%s %j is no database', async (option, value) => {
  const { code, stderr } = await runAgent([
    'restore',
    'x.rdb',
    '--into',
    'redis://127.0.0.1:1',
    '--keys',
    '*',
    option,
    value,
  ]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(`${option} takes the number of a database`)]);
});

test('a URL that names a database is told to say --to-db', async () => {
  const env = { URL_OF_IT: 'redis://127.0.0.1:1/3' };
  const { code, stderr } = await runAgent(['restore', 'x.rdb', '--into', 'env:URL_OF_IT', '--keys', '*'], {
    env,
  });
  expect([code, stderr]).toEqual([2, expect.stringContaining('--to-db')]);
});
