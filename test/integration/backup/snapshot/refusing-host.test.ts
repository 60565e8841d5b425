import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { actAsNobody } from '../../../support/agent/as-nobody.ts';
import {
  defaultBuild,
  findBuild,
  startServer,
  type TestServer,
} from '../../../support/servers/redis-server.ts';
import { connect, countSaves, fill, isRoot, take, tempFolder, tinyFileSystem, wrapped } from './support.ts';

describe('the save fails', () => {
  test.skipIf(!isRoot)('a full disk: said once, not tried again', async () => {
    const dir = tinyFileSystem('1m');
    const server = await startServer({ config: { dir, save: '3600 1000000', rdbcompression: 'no' } });
    await fill(server, 1000, 2000);
    await expect(take(server)).rejects.toMatchObject({
      code: 'failed',
      reason: 'save-failed',
      message: expect.stringContaining(`the server failed to save to ${dir}/dump.rdb`) as unknown,
      hint: expect.stringContaining('full disk'),
    });
    expect(await countSaves(server)).toBe(1);
    // This is what a preflight is for.
    await expect(server.call('SET', 'a', 'b')).rejects.toMatchObject({ reason: 'misconf' });
  });

  test.skipIf(!isRoot)('after it has been put right, the next one succeeds and unblocks writes', async () => {
    const dir = tinyFileSystem('1m');
    const server = await startServer({ config: { dir, save: '3600 1000000', rdbcompression: 'no' } });
    await fill(server, 1000, 2000);
    await expect(take(server)).rejects.toMatchObject({ reason: 'save-failed' });
    execFileSync('mount', ['-o', 'remount,size=8m', dir]);
    const { keyspace } = await take(server);
    expect(keyspace).toEqual({ databases: { 0: { keys: 1000, expires: 0 } }, exact: true });
    await server.call('SET', 'a', 'b');
  });

  test.skipIf(!isRoot)('the server may not fork', async () => {
    const build = wrapped(
      defaultBuild(),
      'dir=$(dirname "$2")\nchown -R 65534 "$dir"\nchmod 711 "$dir/.."\nexec setpriv --pdeathsig KILL --reuid 65534 --clear-groups "$@"',
    );
    const server = await startServer({ build, asRoot: true });
    await server.call('SET', 'a', 'b');
    const asServer = ['--reuid', '65534', '--clear-groups'];
    execFileSync('setpriv', [...asServer, 'prlimit', '--pid', String(server.pid), '--nproc=1:1']);
    await expect(take(server)).rejects.toMatchObject({
      code: 'failed',
      reason: 'fork',
      message: 'instance main: the server could not fork a child to save',
      hint: expect.stringContaining('vm.overcommit_memory'),
    });
  });
});

/** Dumps get the folder's group, and mode 0640. */
async function startWithGroup(gid: number, mode = 0o2750): Promise<{ server: TestServer; dir: string }> {
  const dir = tempFolder();
  chownSync(dir, 0, gid);
  chmodSync(dir, mode);
  const umask = process.umask(0o027);
  onTestFinished(() => void process.umask(umask));
  const server = await startServer({ config: { dir }, asRoot: true });
  await server.call('SET', 'a', 'b');
  return { server, dir };
}

describe('the dump cannot be read', () => {
  test.skipIf(!isRoot)('names the group to join', async () => {
    const { server, dir } = await startWithGroup(1, 0o2751);
    actAsNobody(dirname(dir), []);
    await expect(take(server)).rejects.toMatchObject({
      code: 'failed',
      reason: 'denied',
      message: `instance main: cannot read ${dir}/dump.rdb: permission denied for nobody at ${dir}/dump.rdb (it belongs to root:daemon, mode 0640)`,
      hint: 'usermod -aG daemon nobody, then restart the agent',
    });
  });

  test.skipIf(!isRoot)('a folder that may not be entered: told before anything is saved', async () => {
    const { server, dir } = await startWithGroup(1);
    actAsNobody(dirname(dir), []);
    await expect(take(server)).rejects.toMatchObject({
      code: 'failed',
      reason: 'denied',
      message: `instance main: cannot read ${dir}/dump.rdb: permission denied for nobody at ${dir} (it belongs to root:daemon, mode 2750)`,
      hint: 'usermod -aG daemon nobody, then restart the agent',
    });
    expect(await server.call('INFO')).toContain('rdb_last_bgsave_time_sec:-1\r\n');
  });

  test.skipIf(!isRoot)('where no group may read it either: what to grant first', async () => {
    const { server, dir } = await startWithGroup(1);
    process.umask(0o077);
    chmodSync(dir, 0o2700);
    actAsNobody(dirname(dir), []);
    await expect(take(server)).rejects.toMatchObject({
      reason: 'denied',
      hint: `let the group of ${dir} enter it (chmod g+x) and put nobody into that group, then restart the agent`,
    });
  });
});

describe('a server whose files are elsewhere', () => {
  test('the folder is not here: told before anything is saved', async () => {
    const server = await startServer();
    const there = await connect(server);
    const claimed = {
      ...there,
      // A container's answer, as we would get it.
      call: async (command: string, ...args: (string | number)[]) =>
        command === 'CONFIG' && args[1] === 'dir'
          ? ['dir', '/data/in/a/container']
          : await there.call(command, ...args),
    };
    await expect(take(server, { connect: async () => claimed })).rejects.toMatchObject({
      code: 'failed',
      reason: 'elsewhere',
      message: 'instance main: there is no folder /data/in/a/container here',
      hint: expect.stringContaining('container'),
    });
    expect(await countSaves(server)).toBe(0);
  });

  test.skipIf(!isRoot)('a folder of that name is here, and it is another one', async () => {
    const dir = tempFolder();
    const build = wrapped(
      defaultBuild(),
      `exec unshare --mount sh -c 'mount -t tmpfs tmpfs ${dir} && exec "$@"' sh "$@"`,
    );
    const server = await startServer({ build, config: { dir }, asRoot: true });
    await server.call('SET', 'a', 'b');
    await expect(take(server)).rejects.toMatchObject({
      code: 'failed',
      reason: 'vanished',
      message: expect.stringMatching(/^instance main: 4 saves gave no snapshot: .* without a new file/),
      hint: expect.stringContaining('container'),
    });
  });
});

const valkey = findBuild('valkey', '8.1') ?? findBuild('valkey', '9');
test.skipIf(valkey === undefined)('BGSAVE CANCEL by somebody else: asked again', async () => {
  const server = await startServer({
    ...(valkey && { build: valkey }),
    config: { 'rdb-key-save-delay': '5000' },
  });
  await fill(server, 100);
  const { keyspace } = await take(server, { on: { saving: () => server.call('BGSAVE', 'CANCEL') } });
  expect(keyspace).toEqual({ databases: { 0: { keys: 100, expires: 0 } }, exact: true });
  expect(await countSaves(server)).toBe(2);
});

const withFunctions = findBuild('redis', '7') ?? findBuild('redis', '8') ?? findBuild('valkey', '9');
test.skipIf(withFunctions === undefined)(
  'functions before the keys: the counts are still proven',
  async () => {
    const server = await startServer({ ...(withFunctions && { build: withFunctions }) });
    const body = `redis.register_function('f', function() return '${'x'.repeat(5000)}' end)`;
    await server.call('FUNCTION', 'LOAD', `#!lua name=lib\n${body}`);
    await fill(server, 10);
    const { keyspace } = await take(server);
    expect(keyspace).toEqual({ databases: { 0: { keys: 10, expires: 0 } }, exact: true });
  },
);
