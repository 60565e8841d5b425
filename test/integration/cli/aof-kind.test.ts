import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rewriteAof, startAofServer } from '../../support/data/aof.ts';
import {
  copyBackup,
  editManifest,
  idsIn,
  runAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { defaultBuild, startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { removeTempFolder } from '../../support/house/temp-folder.ts';

// What else there is to do with a backup of the AOF: one for all of these tests, and a dump beside it.
let server: TestServer;
let config: TestConfig;
let rdb: string;
let aof: string;

beforeAll(async () => {
  server = await startAofServer(defaultBuild());
  await server.call('SET', 'in the base', 'x');
  await rewriteAof(server);
  for (let i = 0; i < 50; i++) await server.call('RPUSH', `list:${i}`, 'a', 'b');
  config = writeConfig({ server }, { keep: true });
  rdb = await takeBackup(config, '--no-verify');
  aof = await takeBackup(config, '--kind', 'aof', '--no-verify');
});
afterAll(async () => {
  await server.stop();
  removeTempFolder(config.folder);
});

describe('what only a dump can do is refused, with the way out', () => {
  const cases: [string, () => string[], RegExp][] = [
    ['keys', () => ['keys', aof], /keys are read from dumps only/],
    ['rdb check', () => ['rdb', 'check', aof], /keys are read from dumps only/],
    [
      'restore --into',
      () => ['restore', aof, '--keys', '*', '--into', server.url, '--yes'],
      /keys are read from dumps only/,
    ],
    ['restore --method live', () => ['restore', aof, '--method', 'live', '--yes'], /append only file/],
  ];
  test.each(cases)('%s', async (_, args, why) => {
    const { code, json } = await runAgent(['--json', ...args()], { config });
    expect(json.error.message).toMatch(why);
    expect(json.error.hint).toMatch(/kind rdb|--method files/);
    expect(code).toBe(7);
  });

  test('latest is the newest dump there', async () => {
    const { json } = await runAgent(['--json', 'keys'], { config });
    expect(json.source).toContain(rdb);
  });
});

test('list, show and status tell of what kind it is', async () => {
  const list = await runAgent(['backups', 'list'], { config });
  expect(list.stdout).toMatch(new RegExp(`^${aof} .* aof `, 'm'));
  expect(list.stdout).toMatch(new RegExp(`^${rdb} .* rdb `, 'm'));
  const show = await runAgent(['backups', 'show', aof], { config });
  expect(show.stdout).toMatch(/^AOF +multi-part: appendonly\.aof\.2\.base\.rdb/m);
  expect(show.stdout).toContain('zstd -dc aof.tar.zst | tar -x');
  const planned = await runAgent(['--json', 'restore', '--dry-run'], { config });
  expect(planned.json).toMatchObject({ plan: { backup: aof, method: 'files' } });
});

test('restore --to unpacks it, readable by its owner only, and replaces nothing', async () => {
  const folder = join(config.folder, 'unpacked');
  const fetched = await runAgent(['--json', 'restore', aof, '--to', folder], { config });
  expect(fetched).toMatchObject({ code: 0, json: { file: join(folder, `${aof}.aof`) } });
  const path = join(folder, `${aof}.aof`);
  expect(readdirSync(folder)).toEqual([`${aof}.aof`]);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
  expect(await runAgent(['--json', 'aof', 'check', '--deep', path])).toMatchObject({
    code: 0,
    json: { verdict: 'ok', load: { keys: 51 } },
  });
  expect((await runAgent(['restore', aof, '--to', folder], { config })).code).toBe(7);
});

describe('backups verify', () => {
  const verify = async (id: string, ...more: string[]): Promise<{ code: number; verdict: unknown }> => {
    const { code, json } = await runAgent(['--json', 'backups', 'verify', id, ...more], { config });
    return { code, verdict: json.verdicts[0] };
  };
  const copyAs = (id: string): string => join(config.repository, 'main', id, 'aof.tar.zst');

  test('at every depth', async () => {
    expect(await verify(aof, '--quick')).toMatchObject({ code: 0, verdict: { level: 'stored' } });
    expect(await verify(aof)).toMatchObject({
      code: 0,
      verdict: { level: 'checked', summary: 'decoded, redis-check-aof found it valid' },
    });
    expect(await verify(aof, '--deep', '--load')).toMatchObject({ code: 0, verdict: { level: 'loaded' } });
  });

  test('a flipped byte anywhere', async () => {
    const id = '20200101T000000Z-0001';
    copyBackup(config, aof, id);
    const sound = readFileSync(copyAs(id));
    for (const share of [0, 0.3, 0.6, 0.99]) {
      const bytes = Buffer.from(sound);
      bytes[Math.floor(bytes.length * share)]! ^= 1;
      writeFileSync(copyAs(id), bytes);
      expect(await verify(id, '--quick')).toMatchObject({ code: 6, verdict: { verdict: 'damaged' } });
      expect(await verify(id)).toMatchObject({ code: 6, verdict: { verdict: 'damaged' } });
    }
  });

  test('other keys than its manifest says', async () => {
    const id = '20200101T000000Z-0002';
    copyBackup(config, aof, id);
    editManifest(config, id, (manifest) => {
      manifest.keyspace.databases[0].keys++;
    });
    expect(await verify(id)).toMatchObject({ code: 0 });
    expect(await verify(id, '--load')).toMatchObject({
      code: 6,
      verdict: { summary: expect.stringMatching(/loaded, but database 0 holds 51 keys instead of 52/) },
    });
  });

  test('a manifest that is of another kind than what is stored', async () => {
    const id = '20200101T000000Z-0003';
    copyBackup(config, aof, id);
    editManifest(config, id, (manifest) => {
      manifest.kind = 'rdb';
    });
    expect(await verify(id)).toMatchObject({ code: 6, verdict: { verdict: 'damaged' } });
  });
});

test('each kind is kept for itself: one does not push out the other’s newest', async () => {
  const plain = await startServer({ config: { appendonly: 'yes' } });
  await plain.call('SET', 'key', 'value');
  const own = writeConfig({ server: plain, settings: { backup: { retention: { days: 1, keep_min: 1 } } } });
  const dump = await takeBackup(own);
  const set = await takeBackup(own, '--kind', 'aof');
  // Both of long ago, and newer ones of the other kind since.
  const old = { dump: '20200101T000000Z-0001', set: '20200102T000000Z-0001' };
  copyBackup(own, dump, old.dump);
  copyBackup(own, set, old.set);
  const move = (id: string, to: string): void => {
    copyBackup(own, id, to);
    renameSync(join(own.repository, 'main', id), join(own.folder, id));
  };
  move(dump, '20200103T000000Z-0001');
  const plan = await runAgent(['--json', 'backups', 'prune', '--yes'], { config: own });
  const kept = plan.json.decisions.filter(({ keep }: { keep: boolean }) => keep);
  expect(kept).toMatchObject([
    { id: set, kind: 'aof', reason: 'the newest' },
    { id: '20200103T000000Z-0001', kind: 'rdb', reason: 'the newest' },
  ]);
  expect(idsIn(own)).toEqual(['20200103T000000Z-0001', set]);
});
