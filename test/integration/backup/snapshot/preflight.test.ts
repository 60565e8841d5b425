import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { judgePreflight } from '../../../../src/backup/snapshot/judge-preflight.ts';
import { gatherPreflight, preflight } from '../../../../src/backup/snapshot/preflight.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import { connectRedis } from '../../../../src/redis/connection/connect.ts';
import { runAgent, writeConfig } from '../../../support/agent/cli.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import {
  defaultBuild,
  edgeBuilds,
  startServer,
  type TestServer,
} from '../../../support/servers/redis-server.ts';
import { countSaves, fill, isRoot, tempFolder, tinyFileSystem, untilInfo, wrapped } from './support.ts';

async function refuse(server: TestServer): Promise<void> {
  await preflight(server.connection, { log: memoryLog(), insist: '--skip-preflight' });
}

describe.each(edgeBuilds())('on $name', (build) => {
  test('a healthy server: everything is seen, nothing is asked of it', async () => {
    const server = await startServer({ build, config: { save: '3600 1000000' } });
    await fill(server, 5000, 100);
    await server.call('SAVE');
    await server.call('SET', 'one', 'change');

    const facts = await gatherPreflight(server.connection);

    expect(facts).toMatchObject({
      loading: false,
      replica: undefined,
      lastSaveFailed: false,
      failureBlocksWrites: true,
      data: { keys: 5001, changesSinceSave: 1 },
      disk: { folder: server.dir, dump: statSync(server.dumpPath).size },
    });
    expect(facts.data.dataset).toBeGreaterThan(500_000);
    expect(facts.data.rss).toBeGreaterThan(facts.data.dataset);
    expect(facts.disk?.free).toBeGreaterThan(0);
    expect(facts.host?.available).toBeGreaterThan(0);
    expect(judgePreflight(facts).refusals).toEqual([]);
    await refuse(server);
    expect(await countSaves(server)).toBe(0);
  });

  test('a dump is smaller than what INFO calls the data set', async () => {
    const server = await startServer({ build, config: { rdbcompression: 'no' } });
    await fill(server, 3000, 300);
    for (let list = 0; list < 20; list++)
      await server.call('RPUSH', `list:${list}`, ...Array.from({ length: 500 }, (_, item) => item * 7));
    await server.call('SAVE');
    const { data, disk } = await gatherPreflight(server.connection);
    expect(disk?.dump).toBeLessThan(data.dataset);
  });
});

test.skipIf(!isRoot)('a disk that is too full: refused with figures, nothing is saved', async () => {
  const dir = tinyFileSystem('8m');
  const server = await startServer({ config: { dir, save: '3600 1000000' } });
  await fill(server, 1000, 1000);
  await expect(refuse(server)).rejects.toMatchObject({
    code: 'refused',
    reason: 'disk',
    message: expect.stringMatching(
      new RegExp(`^instance test-.*: no save: too little room in ${dir} \\(8.0 MiB free, `),
    ),
    hint: 'free some space there, or insist with --skip-preflight',
  });
  expect(await countSaves(server)).toBe(0);
});

test('a server that is still loading', async () => {
  // A loading server answers once for every 2 MiB that it has read: here eight times a second, 3 s long.
  const config = { 'key-load-delay': '125', rdbcompression: 'no' };
  const server = await startServer({ until: 'listening', config });
  await fill(server, 24_000, 2000);
  await server.call('SAVE');
  await server.restart();
  await expect(refuse(server)).rejects.toMatchObject({
    code: 'refused',
    reason: 'loading',
    hint: 'try again when it has finished, or insist with --skip-preflight',
  });
});

test('a replica without its master, and one that is being synchronised', async () => {
  const server = await startServer();
  await server.call('REPLICAOF', '127.0.0.1', 1);
  await expect(refuse(server)).rejects.toMatchObject({
    reason: 'replica',
    message: expect.stringContaining('this replica has lost its master'),
  });

  const config = {
    'rdb-key-save-delay': '5000',
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': '0',
  };
  const master = await startServer({ config });
  await fill(master, 2000);
  await server.call('REPLICAOF', '127.0.0.1', master.port);
  await untilInfo(server, 'master_sync_in_progress:1');
  await expect(refuse(server)).rejects.toMatchObject({
    reason: 'replica',
    message: expect.stringContaining('this replica is being synchronised'),
  });
  await master.call('CONFIG', 'SET', 'rdb-key-save-delay', 0);
  await master.call('SHUTDOWN', 'NOSAVE').catch(() => undefined);
});

test('a replica that is up to date is as good as its master', async () => {
  const master = await startServer({ config: { 'repl-diskless-sync-delay': '0' } });
  const replica = await startServer();
  await replica.call('REPLICAOF', '127.0.0.1', master.port);
  await untilInfo(replica, 'master_link_status:up');
  expect((await gatherPreflight(replica.connection)).replica).toMatchObject({ linkUp: true, syncing: false });
  await refuse(replica);
});

test('a save that failed before: not asked for again where writes are blocked, else a warning', async () => {
  const server = await startServer({ config: { save: '3600 1000000' } });
  mkdirSync(server.dumpPath);
  await server.call('BGSAVE');
  await untilInfo(server, 'rdb_last_bgsave_status:err');
  rmdirSync(server.dumpPath);
  await expect(refuse(server)).rejects.toMatchObject({
    reason: 'last-save',
    hint: expect.stringMatching(/CONFIG SET stop-writes-on-bgsave-error no; .*--skip-preflight$/),
  });
  await server.call('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
  const log = memoryLog();
  await preflight(server.connection, { log });
  expect(log.entries).toMatchObject([{ level: 'warn', check: 'last-save', next: 'see the server’s log' }]);
});

describe('a server that cannot replace its dump: refused, and writes go on', () => {
  /** It runs as uid 65534, in a folder of root's that everybody may read. */
  async function unprivileged(mode: number): Promise<{ server: TestServer; dir: string }> {
    const build = wrapped(
      defaultBuild(),
      'dir=$(dirname "$2")\nchown -R 65534 "$dir"\nchmod 711 "$dir/.."\nexec setpriv --pdeathsig KILL --reuid 65534 --regid 65534 --clear-groups "$@"',
    );
    const dir = tempFolder();
    chmodSync(dirname(dir), 0o711);
    chmodSync(dir, mode);
    return { server: await startServer({ build, config: { dir, save: '3600 1000000' }, asRoot: true }), dir };
  }

  test.skipIf(!isRoot).each([
    ['a folder that is not its own', 0o755, () => {}, 'uid 65534'],
    ['a folder in its place', 0o777, (path: string) => mkdirSync(path), 'it is a folder'],
    [
      'another’s dump in a sticky folder',
      0o1777,
      (path: string) => writeFileSync(path, ''),
      'is sticky, and the file belongs to uid 0',
    ],
    [
      'a dump that is mounted',
      0o777,
      (path: string) => {
        writeFileSync(path, '');
        execFileSync('mount', ['--bind', path, path]);
        onTestFinished(() => void execFileSync('umount', [path]));
      },
      'it is a mount point',
    ],
  ])('%s', async (_name, mode, make, why) => {
    const { server, dir } = await unprivileged(mode);
    make(join(dir, 'dump.rdb'));
    await server.call('SET', 'key', 'value');
    await expect(refuse(server)).rejects.toMatchObject({
      code: 'refused',
      reason: 'place',
      message: expect.stringContaining(why),
    });
    expect(await countSaves(server)).toBe(0);
    expect(await server.call('SET', 'key', 'again')).toBe('OK');
  });

  test.skipIf(!isRoot)('nor is it asked again when somebody has insisted and it failed', async () => {
    const { server, dir } = await unprivileged(0o755);
    const config = writeConfig({ server });
    const args = ['backup', '--no-verify'];
    const insisted = await runAgent([...args, '--skip-preflight'], { config });
    expect(insisted).toMatchObject({ code: 1, stderr: expect.stringContaining('REFUSES WRITES since') });
    expect(insisted.stderr).toContain('redis-cli CONFIG SET stop-writes-on-bgsave-error no');
    expect(await countSaves(server)).toBe(1);
    // Whatever the folder is like by now: it is the server that says that a save has failed.
    chmodSync(dir, 0o777);
    expect(await runAgent(args, { config })).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('it refuses writes since (MISCONF)'),
    });
    expect(await countSaves(server)).toBe(1);
    const { stdout } = await runAgent(['status'], { config });
    expect(stdout).toMatch(/critical +backup failed: .*refuses? writes/i);
    expect((await runAgent(['check'], { config })).stdout).toContain('it refuses writes since (MISCONF)');
    // As the hint says.
    await server.call('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    expect(await server.call('SET', 'key', 'again')).toBe('OK');
    expect(await runAgent(args, { config })).toMatchObject({ code: 0 });
  });
});

test('a data folder that was removed under the server: said, and nothing else is looked at for it', async () => {
  const dir = join(tempFolder(), 'data');
  mkdirSync(dir);
  const server = await startServer({ config: { dir } });
  rmSync(dir, { recursive: true });
  await expect(refuse(server)).rejects.toMatchObject({ code: 'failed', reason: 'gone' });
  const config = writeConfig({ server });
  const { code, stdout } = await runAgent(['check'], { config });
  expect({ code, stdout }).toMatchObject({ code: 3, stdout: expect.stringContaining('data folder is gone') });
});

test('no right to look: which rule to add', async () => {
  const server = await startServer();
  await server.call('ACL', 'SETUSER', 'agent', 'on', 'nopass', '+info', '+ping');
  const password = new Secret('any');
  const connection = await connectRedis({ name: 'main', url: server.url, username: 'agent', password });
  await expect(preflight(connection, { log: memoryLog(), insist: '--skip-preflight' })).rejects.toMatchObject(
    {
      code: 'redis',
      hint: expect.stringContaining('ACL SETUSER agent +config|get'),
    },
  );
  connection.close();
});

const groups = '/sys/fs/cgroup/memory';

/** Version 1 of control groups, as this test can make them; version 2 is tested on its files. */
function canLimit(): boolean {
  try {
    const probe = join(groups, `redis-agent-probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canLimit())('a control group with little room', async () => {
  const group = join(groups, `redis-agent-test-${process.pid}`);
  mkdirSync(group);
  // Processes leave it when they have ended, which is when the server has been stopped.
  onTestFinished(() => rmdirSync(group));
  writeFileSync(join(group, 'memory.limit_in_bytes'), String(64 * 2 ** 20));
  const server = await startServer();
  writeFileSync(join(group, 'cgroup.procs'), String(server.pid));
  const before = await gatherPreflight(server.connection);
  expect(before.cgroup?.limit).toBe(64 * 2 ** 20);
  await fill(server, 58, 2 ** 20);
  await expect(refuse(server)).rejects.toMatchObject({
    code: 'refused',
    reason: 'cgroup',
    message: expect.stringContaining('control group (limit 64 MiB)'),
    hint: expect.stringMatching(/MemoryMax=.*--skip-preflight$/),
  });
});
