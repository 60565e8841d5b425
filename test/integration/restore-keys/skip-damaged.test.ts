import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { listpack } from '../../support/rdb/packed-writer.ts';
import { rdbOf } from '../../support/rdb/rdb.ts';
import { usual } from '../../support/rdb/style.ts';
import { ValueSink } from '../../support/rdb/value-sink.ts';
import { s3Repository, startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

function key(code: number, name: string, fill: (sink: ValueSink) => unknown): Buffer {
  const sink = new ValueSink(usual);
  sink.byte(code).string(Buffer.from(name));
  fill(sink);
  return sink.take();
}

const text = (name: string): Buffer => key(0, name, (sink) => sink.string(Buffer.from(`of ${name}`)));
const database = (number: number): Buffer => Buffer.of(254, number);
/** A hash whose listpack says that it is longer than it is. */
const hash = (name: string): Buffer =>
  key(16, name, (sink) => {
    const packed = listpack([Buffer.from('field'), Buffer.from('a secret')], usual);
    packed[0] = packed[0]! + 1;
    return sink.string(packed);
  });
/** A set that has a member twice, which is no packed value. */
const set = (name: string): Buffer =>
  key(2, name, (sink) => sink.number(2).string(Buffer.from('a secret')).string(Buffer.from('a secret')));
/** A string whose compressed bytes refer to what is before its start. */
const compressed = (name: string): Buffer =>
  key(0, name, (sink) => sink.bytes(Buffer.from([0xc3, 4, 20, 0xe0, 11, 9, 9])));
// What is not compressed.
const noise = randomBytes(60_000);
/** A list of more than is held at once, one node of which is damaged, or none. */
const longList = (name: string, damaged: boolean): Buffer =>
  key(18, name, (sink) => {
    const node = listpack([noise], usual);
    const broken = Buffer.from(node);
    broken[0] = broken[0]! + 1;
    sink.number(300);
    for (let at = 0; at < 300; at++) sink.number(2).string(damaged && at === 150 ? broken : node);
    return sink;
  });

interface Scene {
  target: TestServer;
  salvage: (dump: Uint8Array, ...args: string[]) => Promise<AgentResult>;
  folder: string;
}

async function scene(): Promise<Scene> {
  const target = await startServer();
  const config = writeConfig({ server: target });
  const path = join(config.folder, 'odd.rdb');
  return {
    target,
    folder: config.folder,
    salvage: async (dump, ...args) => {
      writeFileSync(path, dump);
      return await runAgent(['restore', path, '--keys', '*', '--into', target.url, '--yes', ...args], {
        config,
      });
    },
  };
}

async function keysOf(target: TestServer, of = 0): Promise<string[]> {
  await target.call('SELECT', of);
  const keys = await target.call('KEYS', '*');
  await target.call('SELECT', 0);
  return Array.isArray(keys) ? keys.map(String).toSorted() : [];
}

const dump = rdbOf(
  Buffer.concat([
    text('a'),
    hash('hash'),
    set('set'),
    text('b'),
    database(3),
    compressed('packed'),
    text('c'),
  ]),
);

test('without it the first damaged value ends all, and the error names it', async () => {
  const { salvage } = await scene();
  expect(await salvage(dump)).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/key "hash".*--skip-damaged/s),
  });
});

test('what an earlier run without it has written is gone on from', async () => {
  const { target, folder } = await scene();
  const config = writeConfig({ server: target });
  const path = join(folder, 'odd.rdb');
  writeFileSync(path, dump);
  const words = ['restore', path, '--keys', '*', '--into', target.url, '--yes', '--json'];
  expect(await runAgent(words, { config })).toMatchObject({ code: 6 });
  expect(await keysOf(target)).toEqual(['a']);
  const run = await runAgent([...words, '--skip-damaged'], { config });
  expect(run).toMatchObject({ code: 1, json: { result: { written: 2, existing: 1, resumed_from: 0 } } });
  expect([await keysOf(target), await keysOf(target, 3)]).toEqual([['a', 'b'], ['c']]);
});

test('damaged values are left out and named, the others are written, and the exit status says that it was not all', async () => {
  const { target, salvage, folder } = await scene();
  const list = join(folder, 'damaged.jsonl');
  const run = await salvage(dump, '--skip-damaged', '--damaged-list', list, '--json');
  expect(run).toMatchObject({ code: 1, json: { result: { written: 3, problems: [] } } });
  expect([await keysOf(target), await keysOf(target, 3)]).toEqual([['a', 'b'], ['c']]);
  const named = [
    { database: 0, key: 'hash', why: expect.stringContaining('listpack') },
    { database: 0, key: 'set', why: expect.stringContaining('same member twice') },
    { database: 3, key: 'packed', why: expect.any(String) },
  ];
  expect(run.json.result.damaged).toEqual(named);
  const lines = readFileSync(list, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(named);
  expect(statSync(list).mode & 0o777).toBe(0o600);
  expect(run.stdout + run.stderr + lines.join('')).not.toContain('secret');
});

test('a packed value whose very head is damaged ends nothing, whether it is asked for or not', async () => {
  const { target, salvage } = await scene();
  const short = key(11, 'intset', (sink) => sink.bytes(Buffer.of(2, 9, 9)));
  const lzf = key(16, 'hash', (sink) => sink.bytes(Buffer.of(0xc3, 4, 20, 0xe0, 11, 9, 9)));
  const heads = rdbOf(Buffer.concat([short, lzf, text('a'), text('b')]));
  expect(await salvage(heads)).toMatchObject({ code: 6 });
  expect(await salvage(heads, '--skip-damaged', '--json')).toMatchObject({
    code: 1,
    json: { result: { written: 2, problems: [], damaged: [{ key: 'intset' }, { key: 'hash' }] } },
  });
  await target.call('FLUSHALL');
  expect(await salvage(heads, '--skip-damaged', '--type', 'string')).toMatchObject({ code: 0 });
  expect(await keysOf(target)).toEqual(['a', 'b']);
});

test('nor does it matter that the target takes no RESTORE', async () => {
  const { target, salvage } = await scene();
  await target.call('ACL', 'SETUSER', 'default', '-restore');
  const run = await salvage(dump, '--skip-damaged');
  expect(run).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/3 keys written.*\n3 keys not written/s),
  });
  expect([await keysOf(target), await keysOf(target, 3)]).toEqual([['a', 'b'], ['c']]);
});

test('a long list of them ends where a screen does, and goes on in the file', async () => {
  const { salvage, folder } = await scene();
  const many = Array.from({ length: 30 }, (_, at) => hash(`hash:${at}`));
  const list = join(folder, 'damaged.jsonl');
  const run = await salvage(
    rdbOf(Buffer.concat([...many, text('a')])),
    '--skip-damaged',
    '--damaged-list',
    list,
  );
  expect(run).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/30 keys not written.*hash:19.*10 more/s),
  });
  expect(run.stdout).not.toContain('hash:20');
  expect(run.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(readFileSync(list, 'utf8').trimEnd().split('\n')).toHaveLength(30);
});

test('a value that is too long to be held is built until the damage shows, and leaves nothing behind', async () => {
  const { target, salvage } = await scene();
  const keys = [longList('odd', true), text('a'), longList('last', false), hash('hash')];
  // Without a checksum, which takes longest to make here.
  const long = Buffer.concat([Buffer.from('REDIS0010'), ...keys, Buffer.of(0xff), Buffer.alloc(8)]);
  const run = await salvage(long, '--skip-damaged', '--json');
  expect(run).toMatchObject({
    code: 1,
    json: { result: { written: 2, problems: [], damaged: [{ key: 'hash' }, { key: 'odd', database: 0 }] } },
  });
  expect(await keysOf(target)).toEqual(['a', 'last']);
  expect(await target.call('LLEN', 'last')).toBe(300);
});

test('what cannot be read any further is read so far, and says where it ends', async () => {
  const { target, salvage } = await scene();
  const cut = await salvage(dump.subarray(0, dump.length - 15), '--skip-damaged', '--json');
  expect(cut).toMatchObject({
    code: 1,
    json: {
      plan: { warnings: [expect.stringContaining('truncated')] },
      result: { written: 2, problems: [expect.stringContaining('truncated')] },
    },
  });
  expect(await keysOf(target)).toEqual(['a', 'b']);
});

test('a checksum that is wrong ends nothing, and is said', async () => {
  const { target, salvage } = await scene();
  const sound = rdbOf(Buffer.concat([text('a'), text('b')]));
  sound[sound.length - 1] = sound.at(-1)! ^ 1;
  expect(await salvage(sound, '--skip-damaged')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/2 keys written.*CRC64/s),
  });
  expect(await keysOf(target)).toEqual(['a', 'b']);
});

test('the list needs the option that it is of, and a place before anything is written', async () => {
  const { target, salvage, folder } = await scene();
  expect(await salvage(dump, '--damaged-list', join(folder, 'x'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--skip-damaged'),
  });
  expect(await salvage(dump, '--skip-damaged', '--damaged-list', join(folder, 'none', 'x'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot write'),
  });
  expect(await keysOf(target)).toEqual([]);
});

test('a restore of the whole dump is refused, and names this way as it can be typed', async () => {
  const { target } = await scene();
  const config = writeConfig({ server: target });
  const path = join(config.folder, 'cut.rdb');
  writeFileSync(path, dump.subarray(0, dump.length - 15));
  const refused = await runAgent(['restore', path, '--yes'], { config });
  expect(refused).toMatchObject({
    code: 6,
    stderr: expect.stringContaining(`redis-agent restore ${path} --keys '*' --into URL --skip-damaged`),
  });
  const check = await runAgent(['rdb', 'check', path], { config });
  expect(check).toMatchObject({
    code: 6,
    stdout: expect.stringMatching(/^damaged: .*\n  where .*: redis-agent restore .* --skip-damaged\n$/),
  });
  const { stderr } = await runAgent(['restore', path, '--keys', '', '--into', target.url, '--yes'], {
    config,
  });
  expect(stderr).toContain('--into needs to know which keys');
});

/** A backup of several blocks: twenty values of a mebibyte that do not compress. */
async function largeBackup(config: TestConfig, server: TestServer): Promise<string> {
  for (let at = 0; at < 20; at++)
    await server.call('SET', `key:${at}`, randomBytes(512 * 1024).toString('hex'));
  return await takeBackup(config, '--no-verify', '--no-prune');
}

test('of a backup the blocks before a damaged one are written', async () => {
  const source = await startServer();
  const { target } = await scene();
  const config = writeConfig({ server: source });
  const id = await largeBackup(config, source);
  const path = join(config.repository, 'main', id, 'dump.rdb.zst');
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 1;
  writeFileSync(path, bytes);
  const run = await runAgent(
    ['restore', id, '--keys', '*', '--into', target.url, '--yes', '--skip-damaged', '--json'],
    { config },
  );
  expect(run).toMatchObject({
    code: 1,
    json: { result: { problems: [expect.stringContaining('damaged')] } },
  });
  const { written } = run.json.result;
  expect(written).toBeGreaterThan(2);
  expect(written).toBeLessThan(18);
  expect(await keysOf(target)).toHaveLength(written);
});

test('a store that breaks off is no damage: nothing is passed over for it, and the same command goes on', async () => {
  const { store, faults } = await startFaultyS3();
  const source = await startServer();
  const { target } = await scene();
  const config = writeConfig({ server: source });
  config.rewrite({
    instances: [{ name: 'main', url: source.url }],
    repository: s3Repository(config, store, faults.endpoint).repository,
  });
  const id = await largeBackup(config, source);
  const words = ['restore', id, '--keys', '*', '--into', target.url, '--yes', '--skip-damaged', '--json'];
  faults.plan('GetObject', { kind: 'cut-download', after: 9 * 1024 * 1024 });
  expect(await runAgent(words, { config })).toMatchObject({
    code: 5,
    json: { error: { code: 'repository' } },
  });
  faults.reset();
  const run = await runAgent(words, { config });
  expect(run).toMatchObject({ code: 0, json: { result: { failed: [], problems: [] } } });
  expect(await keysOf(target)).toHaveLength(20);
});
