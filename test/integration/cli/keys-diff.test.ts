import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  editManifest,
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type ConfigOptions,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { parseCsvTable } from '../../support/data/parse-csv.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { removeTempFolder } from '../../support/house/temp-folder.ts';

/** A repository with two backups of a server, with changes between them, and their dumps as files. */
interface Scene {
  config: TestConfig;
  older: string;
  newer: string;
  dumps: { older: string; newer: string };
}

let server: TestServer;
/** Not encrypted. To be left as it is: `copied` gives one that may be spoilt. */
let scene: Scene;

beforeAll(async () => {
  server = await startServer();
  scene = await makeScene(writeConfig({ server }, { keep: true }));
});
afterAll(async () => {
  removeTempFolder(scene.config.folder);
  await server.stop();
});

async function makeScene(config: TestConfig): Promise<Scene> {
  const keepDump = async (name: string): Promise<string> => {
    await server.call('SAVE');
    const path = join(config.folder, name);
    writeFileSync(path, readFileSync(server.dumpPath));
    return path;
  };
  await server.call('FLUSHALL');
  await server.call('DEBUG', 'POPULATE', 200, 'user', 20);
  await server.call('DEBUG', 'POPULATE', 50, 'cache:page', 500);
  await server.call('RPUSH', 'queue:mail', 'a', 'b');
  const older = await takeBackup(config, '--no-verify');
  const before = await keepDump('before.rdb');
  await server.call('DEBUG', 'POPULATE', 300, 'user', 20);
  for (let index = 0; index < 40; index++) await server.call('DEL', `cache:page:${index}`);
  await server.call('DEL', 'queue:mail');
  await server.call('SELECT', 2);
  await server.call('HSET', 'order:1', 'a', 'b');
  await server.call('SELECT', 0);
  const newer = await takeBackup(config, '--no-verify');
  return { config, older, newer, dumps: { older: before, newer: await keepDump('after.rdb') } };
}

/** Another repository with the same backups. */
function copied(options: ConfigOptions = {}): TestConfig {
  const config = writeConfig({ server, ...options });
  cpSync(scene.config.repository, config.repository, { recursive: true });
  return config;
}

const keptReport = (config: TestConfig, id: string): string =>
  join(config.repository, 'main', id, 'keys.json');

const changes = [
  { prefix: 'cache:', change: 'shrank', keys: -40 },
  { prefix: 'cache:page:', change: 'shrank', keys: -40 },
  { prefix: 'user:', change: 'grew', keys: 100 },
  { prefix: 'queue:', change: 'vanished', keys: -1 },
  { prefix: 'order:', change: 'appeared', keys: 1 },
];

/** That these are the changes, by prefix. */
function expectChanges(result: AgentResult, stored: boolean): void {
  expect(result).toMatchObject({ code: 0 });
  const { json } = result;
  const found = json.prefixes.list.map(
    ({ prefix, change, delta }: { prefix: string; change: string; delta: { keys: number } }) => ({
      prefix,
      change,
      keys: delta.keys,
    }),
  );
  expect(found).toEqual(changes);
  expect(json.prefixes.list.every(({ exact }: { exact: boolean }) => exact)).toBe(true);
  expect(json).toMatchObject({
    schema: 1,
    by: 'memory',
    before: { stored },
    after: { stored },
    totals: { before: { keys: 251 }, after: { keys: 311 }, delta: { keys: 60 } },
    types: [
      { database: 0, type: 'string', change: 'shrank', delta: { keys: 60 } },
      { database: 0, type: 'list', change: 'vanished' },
      { database: 2, type: 'hash', change: 'appeared' },
    ],
  });
}

describe('two backups', () => {
  test('the two newest, from the reports that are kept; or by their names, or read in full', async () => {
    const { config, older, newer } = scene;
    for (const names of [[], ['previous', 'latest'], ['previous'], [older], [older, newer]]) {
      const result = await runAgent(['keys', 'diff', ...names, '--json'], { config });
      expectChanges(result, true);
      expect(result.json).toMatchObject({
        before: { source: `backup ${older} of main`, engine: expect.any(String) },
        after: { source: `backup ${newer} of main`, used_memory: expect.any(Number) },
        seconds: expect.any(Number),
      });
    }
    expectChanges(await runAgent(['keys', 'diff', '--full', '--json'], { config }), false);
    const same = await runAgent(['keys', 'diff', 'latest', newer], { config });
    expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing has changed.') });
  });

  test('backups of the append only file are passed over', async () => {
    const config = copied();
    const { older, newer } = scene;
    await server.call('CONFIG', 'SET', 'appendonly', 'yes');
    const id = await takeBackup(config, '--kind', 'aof', '--no-verify');
    await server.call('CONFIG', 'SET', 'appendonly', 'no');
    expectChanges(await runAgent(['keys', 'diff', '--json'], { config }), true);
    for (const [name, source] of [
      ['latest', newer],
      ['previous', older],
    ] as const)
      expect((await runAgent(['keys', name, '--json'], { config })).json.source).toBe(
        `backup ${source} of main`,
      );
    expect(await runAgent(['keys', 'diff', newer, id], { config })).toMatchObject({ code: 7, stdout: '' });
  });

  test('for people: what was read, and no line is longer than 80 columns', async () => {
    const { config } = scene;
    const stored = await runAgent(['keys', 'diff'], { config });
    expect(stored.stdout).toContain('no dump was read');
    expect(stored.stdout).toMatch(/^ {2}user: +grew +\+100 +/m);
    expect(stored.stdout).not.toMatch(/^ {2}cache: /m);
    expect(stored.stdout.split('\n').filter((line) => Array.from(line).length > 80)).toEqual([]);
    const full = await runAgent(['keys', 'diff', '--full', '--by', 'keys', '--top', '1'], { config });
    expect(full.stdout).not.toContain('no dump was read');
    expect(full.stdout).toContain('the largest changes of 5');
    expect(full.stdout).not.toContain('queue:');
  });

  test('as a table, and cut to so many prefixes', async () => {
    const { config } = scene;
    const { code, stdout } = await runAgent(['keys', 'diff', '--csv'], { config });
    expect(code).toBe(0);
    const rows = parseCsvTable(stdout);
    expect(
      rows
        .filter(({ section }) => section === 'prefix')
        .map(({ name, change, keys_change: keys }) => ({ prefix: name, change, keys: Number(keys) })),
    ).toEqual(changes);
    const top = await runAgent(['keys', 'diff', '--csv', '--top', '2', '--by', 'keys'], { config });
    expect(
      parseCsvTable(top.stdout).flatMap(({ section, name }) => (section === 'prefix' ? [name] : [])),
    ).toEqual(['user:', 'cache:']);
    const json = await runAgent(['keys', 'diff', '--json', '--top', '2'], { config });
    expect(json.json.prefixes.list).toHaveLength(2);
  });

  test('encrypted: nothing is kept of them, so they are read; without the key that fails', async () => {
    const { generateIdentity, identityToRecipient } = await import('age-encryption');
    const identity = await generateIdentity();
    const recipients = [await identityToRecipient(identity)];
    const { config, newer } = await makeScene(writeConfig({ server, encryption: { recipients, identity } }));
    expectChanges(await runAgent(['keys', 'diff', '--json'], { config }), false);
    for (const args of [['diff', '--stored'], ['--stored']])
      expect(await runAgent(['keys', ...args], { config })).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^redis-agent: no report is kept of backup .* encrypted backups have none.*\n$/,
        ),
      });
    config.rewrite({ server, encryption: { recipients } });
    expect(await runAgent(['keys', 'diff', 'previous', newer], { config })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('age_identity'),
    });
  });
});

describe('files', () => {
  test('two dumps, one from standard input; they need no configuration', async () => {
    const { dumps } = scene;
    const { older, newer } = dumps;
    expectChanges(await runAgent(['keys', 'diff', older, newer, '--json']), false);
    const back = await runAgent(['keys', 'diff', newer, older, '--json']);
    expect(back.json.totals.delta.keys).toBe(-60);
    const before = { input: readFileSync(older) };
    expectChanges(await runAgent(['keys', 'diff', '-', newer, '--json'], before), false);
    const after = { input: readFileSync(newer) };
    expectChanges(await runAgent(['keys', 'diff', older, '-', '--json'], after), false);
  });

  test('a dump against a backup', async () => {
    const { config, dumps, newer } = scene;
    for (const second of [[], [newer], ['latest', '--full']])
      expectChanges(await runAgent(['keys', 'diff', dumps.older, ...second, '--json'], { config }), false);
    expect(await runAgent(['keys', 'diff', dumps.older, '--stored'], { config })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no report is kept of'),
    });
  });

  test('a report that was printed before: against another one, a backup, a dump', async () => {
    const { config, older, newer, dumps } = scene;
    const save = async (name: string, ...args: string[]): Promise<string> => {
      const { code, stdout } = await runAgent(['keys', ...args, '--json'], { config });
      expect(code).toBe(0);
      const path = join(config.folder, name);
      writeFileSync(path, stdout);
      return path;
    };
    const before = await save('before.json', older);
    const after = await save('after.json', newer);
    expectChanges(await runAgent(['keys', 'diff', before, after, '--json']), true);
    expectChanges(await runAgent(['keys', 'diff', before, '--json'], { config }), true);
    const mixed = await runAgent(['keys', 'diff', before, dumps.newer, '--json']);
    expect(mixed.json).toMatchObject({
      before: { stored: true },
      after: { stored: false },
      totals: { delta: { keys: 60 } },
    });
    expect((await runAgent(['keys', 'diff', before, dumps.newer])).stdout).toContain(
      'One of the two is a report',
    );

    // The other one is counted in the same way, as far as it can be.
    const lists = await save('lists.json', older, '--type', 'list', '--depth', '1');
    const { json } = await runAgent(['keys', 'diff', lists, '--json'], { config });
    expect(json).toMatchObject({ after: { stored: false }, totals: { delta: { keys: -1 } } });
    expect(await runAgent(['keys', 'diff', lists, after])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /the two count different keys: .*lists.json only type list, .*after.json all/,
      ),
    });

    // Shown again, as it was counted.
    const again = await runAgent(['keys', before]);
    expect(again.stdout).toContain('queue:');
    expect(await runAgent(['keys', before, '--type', 'hash'])).toMatchObject({ code: 2, stdout: '' });
    writeFileSync(before, '{"schema":1,');
    expect(await runAgent(['keys', 'diff', before, after])).toMatchObject({
      code: 6,
      stdout: '',
      stderr: expect.stringMatching(/^redis-agent: report .*before.json cannot be read: .*JSON.*\n$/),
    });
  });
});

describe('the report that is kept with a backup', () => {
  test('is shown without the dump', async () => {
    const config = copied();
    const { newer } = scene;
    const read = await runAgent(['keys', '--json'], { config });
    rmSync(join(config.repository, 'main', newer, 'dump.rdb.zst'));
    const { code, json } = await runAgent(['keys', newer, '--stored', '--json'], { config });
    expect(code).toBe(0);
    expect(json).toEqual({ ...read.json, stored: true });
    expect((await runAgent(['keys', newer, '--stored'], { config })).stdout).toMatch(
      /report +as it was kept/,
    );
    expect(
      parseCsvTable((await runAgent(['keys', newer, '--stored', '--csv'], { config })).stdout).length,
    ).toBeGreaterThan(20);
    expect(await runAgent(['keys', newer, '--stored', '--type', 'hash'], { config })).toMatchObject({
      code: 2,
    });
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['torn', (path) => writeFileSync(path, readFileSync(path).subarray(0, 300)), /JSON/],
    ['empty', (path) => writeFileSync(path, ''), /JSON/],
    ['of no form', (path) => writeFileSync(path, '{"schema":1,"totals":"x"}'), /rdb/],
    ['huge', (path) => writeFileSync(path, Buffer.alloc(2 ** 21, 0x20)), /far too large/],
    [
      'of another dump',
      (path) => cpSync(join(path, '../..', scene.older, 'keys.json'), path),
      /has 251 keys, the backup 311/,
    ],
    [
      'hostile',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace(/"depth":\d+/, '"depth":1e12')),
      /depth/,
    ],
    ['of a later agent', (path) => writeFileSync(path, '{"schema":2}'), /newer redis-agent/],
  ])('%s: the dump is read instead, with a warning; --stored says so and ends', async (_, spoil, why) => {
    const config = copied();
    const { newer } = scene;
    spoil(keptReport(config, newer));
    const result = await runAgent(['keys', 'diff', '--json'], { config });
    expectChanges(result, false);
    expect(result.stderr).toMatch(/^warning: .*; the dump itself is read\n$/);
    expect(result.stderr).toMatch(why);
    for (const args of [
      ['diff', '--stored'],
      [newer, '--stored'],
    ]) {
      const ended = await runAgent(['keys', ...args], { config });
      expect(ended).toMatchObject({ stdout: '', stderr: expect.stringMatching(why) });
      expect([6, 7]).toContain(ended.code);
    }
    // Nothing else looks at it.
    expect(await runAgent(['keys'], { config })).toMatchObject({ code: 0, stderr: '' });
    expect(await runAgent(['backups', 'verify', '--quick'], { config })).toMatchObject({ code: 0 });
  });

  test('missing from one of the two: both are read, without a word', async () => {
    const config = copied();
    rmSync(keptReport(config, scene.older));
    const result = await runAgent(['keys', 'diff', '--json'], { config });
    expectChanges(result, false);
    expect(result.stderr).toBe('');
    expect(existsSync(keptReport(config, scene.newer))).toBe(true);
  });

  test('with other prefixes than the other one has: both are read', async () => {
    const config = copied();
    const path = keptReport(config, scene.newer);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"separator":":"', '"separator":"/"'));
    expectChanges(await runAgent(['keys', 'diff', '--json'], { config }), false);
    const stored = await runAgent(['keys', 'diff', '--stored'], { config });
    expect(stored).toMatchObject({ code: 0, stdout: expect.stringContaining('cannot be compared') });
  });
});

describe('what cannot be', () => {
  test.each([
    [['-', '-'], 2, 'only one of the two can be standard input'],
    [['--stored', '--full'], 2, '--stored and --full exclude each other'],
    [['--csv', '--json'], 2, '--csv and --json are two formats'],
    [['--top', '0'], 2, '--top takes a whole number'],
    [['--by', 'size'], 2, '--by is one of memory, bytes, keys'],
    [['/nowhere/a.rdb', 'latest'], 2, 'cannot read /nowhere/a.rdb'],
    [['20200101T000000Z-0000', 'latest'], 1, 'has no backup 20200101T000000Z-0000'],
    [['latest', '20200101T000000Z-0000'], 1, 'has no backup 20200101T000000Z-0000'],
  ])('%j: exit status %i', async (args, code, why) => {
    const result = await runAgent(['keys', 'diff', ...args], { config: scene.config });
    expect({ code: result.code, out: result.stdout + result.stderr }).toEqual({
      code,
      out: expect.stringContaining(why),
    });
  });

  test('there is one backup, or none', async () => {
    const config = copied();
    rmSync(join(config.repository, 'main', scene.newer), { recursive: true });
    const one = { code: 1, stderr: expect.stringContaining(`has no backup before ${scene.older}`) };
    expect(await runAgent(['keys', 'diff'], { config })).toMatchObject(one);
    expect(await runAgent(['keys', 'previous'], { config })).toMatchObject(one);
    rmSync(config.repository, { recursive: true });
    expect(await runAgent(['keys', 'diff'], { config })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no backup of kind rdb'),
    });
  });

  test('one of the two is damaged: it is named, and nothing is shown', async () => {
    const config = copied();
    const { dumps, older, newer } = scene;
    const cut = join(config.folder, 'cut.rdb');
    writeFileSync(cut, readFileSync(dumps.newer).subarray(0, -20));
    for (const names of [
      [dumps.older, cut],
      [cut, 'latest'],
    ])
      expect(await runAgent(['keys', 'diff', ...names], { config })).toMatchObject({
        code: 6,
        stdout: '',
        stderr: expect.stringContaining('cut.rdb: byte'),
      });
    // The manifest is the other one's, so that what is kept does not fit to it, nor the dump.
    editManifest(config, newer, (manifest) => {
      manifest.artefacts[0].plain.sha256 = '0'.repeat(64);
    });
    expectChanges(await runAgent(['keys', 'diff', older, newer, '--json'], { config }), true);
    expect(await runAgent(['keys', 'diff', older, newer, '--full'], { config })).toMatchObject({
      code: 6,
      stdout: '',
    });
  });
});
