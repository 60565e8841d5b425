import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { planRestoreJob } from '../../../src/jobs/restore/plan-restore-job.ts';
import { restoreJob } from '../../../src/jobs/restore/restore-job.ts';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { runRestoreChild } from '../../support/restore/kill-restore.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { findBuild, edgeBuilds } from '../../support/servers/redis-server.ts';
import { everything } from '../../support/house/tier.ts';
import { openApp } from '../../support/agent/open-app.ts';

/** The first with an AOF and the second without one, unless everything is run. */
const builds = edgeBuilds()
  .flatMap((build) => [
    { build, aof: true, name: `${build.name}, AOF on` },
    { build, aof: false, name: `${build.name}, AOF off` },
  ])
  .filter((_, at) => everything || at === 0 || at === 3);

interface Prepared {
  server: ManagedServer;
  config: TestConfig;
}

async function prepare(
  { build, aof }: Partial<Omit<(typeof builds)[number], 'name'>> = {},
  options: Parameters<typeof writeConfig>[0] = {},
): Promise<Prepared> {
  const server = await manageServer({
    ...(build === undefined ? {} : { build }),
    // With everysec, a server that is killed while the disk is busy has not written what it has answered.
    config: { appendonly: aof === true ? 'yes' : 'no', appendfsync: 'always' },
  });
  const config = writeConfig({ instances: [server.instance], ...options });
  return { server, config };
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

/** What the server saves into, where it keeps its data. */
async function saveTo({ server, config }: Prepared): Promise<string> {
  await server.call('SAVE');
  const path = join(config.folder, 'kept.rdb');
  copyFileSync(join(server.dir, 'dump.rdb'), path);
  return path;
}

test.each(builds)('$name: a dump that lies somewhere comes back by either method', async (where) => {
  const at = await prepare(where);
  const { server, config } = at;
  await fillServer(server);
  const kept = await describeData(server);
  const path = await saveTo(at);
  for (const method of ['files', 'live']) {
    await server.call('FLUSHALL');
    await server.call('SET', 'written later', 'x');
    const restored = await restore(config, path, '--method', method);
    expect(restored).toMatchObject({
      code: 0,
      json: { outcome: 'restored', plan: { method, backup: path } },
    });
    await server.reconnect();
    expect(await describeData(server)).toEqual(kept);
    await server.restart();
    expect(await describeData(server)).toEqual(kept);
    expect(await restore(config, '--undo')).toMatchObject({ code: 0 });
    await server.reconnect();
    expect(await server.call('DBSIZE')).toBe(1);
  }
  expect(existsSync(path)).toBe(true);
});

/** One of each layout of an AOF, unless everything is run. */
const layouts = edgeBuilds().filter(({ engine }) => everything || engine === 'redis');

test.each(layouts)('$name: a repaired append only file gets into its place, and out again', async (build) => {
  const { server, config } = await prepare({ build, aof: true });
  const single = Number.parseInt(server.build.version, 10) < 7;
  for (let key = 0; key < 100; key++) await server.call('SET', `key:${key}`, `value ${key}`);
  await server.kill();
  const damaged = join(config.folder, single ? 'damaged.aof' : 'damaged');
  const own = join(server.dir, single ? 'appendonly.aof' : 'appendonlydir');
  cpSync(own, damaged, { recursive: true });
  breakAt(damaged, single, 'key:60');

  const refused = await restore(config, damaged);
  expect(refused).toMatchObject({ code: 6, json: { error: { reason: 'corrupt' } } });
  expect(refused.json.error.hint).toContain(`aof check ${damaged} --fix --to DIR`);

  const fixed = join(config.folder, 'fixed');
  const cut = await runAgent(['aof', 'check', damaged, '--fix', '--to', fixed], { config });
  expect(cut.stdout.replaceAll(/\s+/g, ' ')).toContain(`redis-agent restore ${fixed}`);
  const restored = await restore(config, fixed);
  expect(restored).toMatchObject({
    code: 0,
    json: { outcome: 'restored', plan: { method: 'files', backup: fixed, keys: 60 } },
  });
  await server.reconnect();
  expect(await server.call('DBSIZE')).toBe(60);
  await server.restart();
  expect(await server.call('GET', 'key:59')).toBe('value 59');

  expect(await restore(config, '--undo')).toMatchObject({ code: 0, json: { undo: { backup: fixed } } });
  await server.reconnect();
  expect(await server.call('DBSIZE')).toBe(100);
});

/** Damages the length of what is written for a key, in the file that grows. */
function breakAt(path: string, single: boolean, key: string): void {
  const file = single ? path : join(path, 'appendonly.aof.1.incr.aof');
  const bytes = readFileSync(file);
  expect(bytes.indexOf(key)).toBeGreaterThan(0);
  const at = bytes.lastIndexOf('*', bytes.indexOf(key));
  bytes.write('!', at);
  writeFileSync(file, bytes);
}

test('a file from a repository comes back as it lies there, compressed and encrypted', async () => {
  const identity = await generateIdentity();
  const encryption = { recipients: [await identityToRecipient(identity)], identity };
  const server = await manageServer();
  const config = writeConfig({ instances: [server.instance], encryption });
  await fillServer(server);
  const kept = await describeData(server);
  const id = await takeBackup(config, '--no-verify');
  const path = join(config.folder, 'moved away');
  copyFileSync(join(config.repository, 'main', id, 'dump.rdb.zst.age'), path);
  await server.call('FLUSHALL');
  expect(await restore(config, path)).toMatchObject({ code: 0, json: { plan: { method: 'live' } } });
  expect(await describeData(server)).toEqual(kept);

  config.rewrite({ instances: [server.instance] });
  const plain = execFileSync('zstd', ['-q', '-c', join(server.dir, 'dump.rdb')], { maxBuffer: 2 ** 30 });
  writeFileSync(`${path}.zst`, plain);
  expect(await restore(config, `${path}.zst`, '--method', 'files')).toMatchObject({ code: 0 });
  expect(await restore(config, path)).toMatchObject({ code: 1, json: { error: { reason: 'no-identity' } } });
});

test('what is not sound, or not there, is refused in a line, and nothing is touched', async () => {
  const at = await prepare();
  const { server, config } = at;
  await server.call('SET', 'key', 'value');
  const path = await saveTo(at);
  const bytes = readFileSync(path);
  const file = (name: string, content: Buffer): string => {
    writeFileSync(join(config.folder, name), content);
    return join(config.folder, name);
  };
  const flipped = Buffer.from(bytes);
  flipped[bytes.length - 12]! ^= 1;
  const fifo = join(config.folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const cases: [string, number, RegExp][] = [
    [file('flipped', flipped), 6, /flipped: /],
    [file('short', bytes.subarray(0, -3)), 6, /short: /],
    [file('long', Buffer.concat([bytes, Buffer.from('x')])), 6, /long: /],
    [file('empty', Buffer.alloc(0)), 6, /empty: /],
    [file('text', Buffer.from('no dump at all, but text')), 6, /text: /],
    [file('newline\n\u001B[31m', Buffer.from('x')), 6, /newline/],
    [file('list.aof', Buffer.from('*1\r\n$4\r\nPI')), 6, /list\.aof cannot be restored/],
    [join(config.folder, 'nowhere'), 2, /is no backup id, and no file is there/],
    [server.dir, 1, /no AOF manifest/],
    [fifo, 2, /not a regular file/],
  ];
  for (const [named, code, message] of cases) {
    const refused = await restore(config, named);
    expect({ named, code: refused.code }).toEqual({ named, code });
    expect(refused.json.error.message).toMatch(message);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    expect(refused.stderr).not.toContain('\u001B');
  }
  expect(await server.call('GET', 'key')).toBe('value');
});

test.each([
  ['shorter', (path: string) => truncateSync(path, 20), { reason: 'changed' }],
  ['another', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size)), { code: 'damaged' }],
])('a file that becomes %s after its plan was shown is not placed', async (_, change, expected) => {
  const at = await prepare();
  const { server, config } = at;
  await server.call('SET', 'key', 'as kept');
  const path = await saveTo(at);
  await server.call('SET', 'key', 'as it is now');
  const app = await openApp(config);
  try {
    const run = { signal: new AbortController().signal, progress: { report() {} } };
    const instance = app.instance(undefined);
    const wanted = { which: path, method: 'files', preBackup: false, allow: [] } as const;
    await using local = (await app.run(planRestoreJob, instance, wanted, run)).local;
    change(path);
    const what = { which: path, undo: false, dryRun: false, allow: [], local };
    await expect(app.run(restoreJob, instance, what, run)).rejects.toMatchObject(expected);
  } finally {
    await app.close();
  }
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as it is now');
});

test('one that was killed is brought to its end by the same command', async () => {
  const build = findBuild('redis', '7.0');
  const { server, config } = await prepare(build === undefined ? {} : { build, aof: true });
  await server.call('SET', 'key', 'as kept');
  const path = await saveTo({ server, config });
  await server.call('SET', 'key', 'as it is now');
  const killed = await runRestoreChild({ config: config.path, undo: false, killAt: 'start', path });
  expect(killed).toMatchObject({ signal: 'SIGKILL' });
  expect(await restore(config, path)).toMatchObject({ code: 0, json: { outcome: 'finished' } });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as kept');
});
