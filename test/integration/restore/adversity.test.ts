// What the host, a supervisor and an operator do to a restore at the worst moment. Of the cases that break tools for
// backups of Redis, these concern a restore; where each of them is tested:
//
// | case | here and in this folder | elsewhere |
// |---|---|---|
// | the disk is full while a backup is staged | adversity | backup/aof/full-disk, cli/drill-guards |
// | dir or dbfilename changed while the server ran | configuration, cases (moved) | backup/snapshot/take-snapshot |
// | a flipped byte in the store; rdbchecksum no | repository-faults, cases, live-faults, live-link | redis/process/tools, backup/aof/moments |
// | a missing or swapped INCR | | backup/aof/moments, cli/aof-check |
// | a torn tail, MULTI without EXEC | aof-round-trip | backup/aof/forms, cli/aof-check |
// | AOF on, a leftover appenddirname, other names | cases, round-trip, surroundings | |
// | an RDB-only server whose redis.conf says appendonly yes | cases (files), guards (never live) | |
// | something else restarts the server meanwhile | adversity | system/guest-restore |
// | a Sentinel watches | guards, live | |
// | killed at every step | kill, aof-kill, live-kill | live-command (the daemon) |
// | an older server, a missing module, a small maxmemory | guards, upgrade | |
// | files of the wrong owner | adversity, cases | system/guest-restore |
// | the clock is put back | | unit: app/scheduler, backup/restore/judge-choice |
// | replicas are attached to an empty master | cases (files), live (they follow) | |
// | the connection drops, stalls, or brings what no server loads | live-link, live-server | redis/replication/replication-master |
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { canBeNobody, runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { expectFree, prepareLive, removeSources, settings } from '../../support/restore/live-case.ts';
import {
  manageServer,
  type ManagedOptions,
  type ManagedServer,
} from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';
import { recoverRestore, restoreLive } from '../../support/restore/restore-live.ts';

afterAll(removeSources);

interface Prepared {
  server: ManagedServer;
  config: TestConfig;
  id: string;
}

async function prepare(options: ManagedOptions = {}, fill = 1): Promise<Prepared> {
  const server = await manageServer(options);
  const config = writeConfig({ instances: [server.instance], settings: { verify: { load: false } } });
  await server.call('SET', 'key', 'as backed up');
  for (let key = 0; key < fill; key++) await server.call('SETRANGE', `large:${key}`, 1_000_000, 'x');
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'as it is now');
  return { server, config, id };
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

/** Starts the server again whenever it is not there, as a supervisor does; until the test calls the result or ends. */
function supervise({ dir, build, configFile }: ManagedServer): () => Promise<void> {
  const script = `while [ ! -e "$1/over" ]; do "$2" "$3" >/dev/null 2>&1; done`;
  const folder = dirname(dir);
  const loop = spawn('sh', ['-c', script, 'sh', folder, build.server, configFile], {
    stdio: 'ignore',
    ...serverUser,
  });
  const ended = new Promise((resolve) => loop.once('exit', resolve));
  const stop = async (): Promise<void> => {
    writeFileSync(join(folder, 'over'), '');
    execFileSync('sh', [
      '-c',
      'for p in $(pgrep -P "$1"); do kill -9 "$p"; done; true',
      'sh',
      String(loop.pid),
    ]);
    await ended;
  };
  onTestFinished(stop);
  return stop;
}

describe('something else starts the server again', () => {
  test('while files are placed: it is said or undone, and one of both data sets is whole', async () => {
    const { server, config } = await prepare({ config: { appendonly: 'yes', appendfsync: 'always' } });
    await server.kill();
    const over = supervise(server);
    await server.reconnect();
    const { code, json } = await restore(config, '--method', 'files');
    // Who is faster is nobody's choice. Hardly ever the restore is.
    const reason = code === 0 ? 'none' : String(json.error?.reason);
    const [backup, now] = ['as backed up', 'as it is now'];
    const expected: Record<string, string[]> = {
      none: [backup],
      'came-back': [now],
      'rolled-back': [now],
      // It could not be stopped to go back: the next command says what it found and ends it.
      'roll-back': [backup, now],
    };
    await server.reconnect();
    const served = String(await server.call('GET', 'key'));
    expect(expected[reason]).toContain(served);
    await over();
    await server.start();
    expect(await server.call('GET', 'key')).toBe(served);
    // With it gone the same command goes through, or what it has begun is brought to its end.
    expect(await restore(config, '--method', 'files')).toMatchObject({ code: 0 });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  });

  test('while it takes a backup over live: it has what its own files had, and is free', async () => {
    const { server, old, config, id } = await prepareLive({ config: settings });
    let restarted: Promise<void> | undefined;
    const run = restoreLive(config.path, id, {
      preBackup: false,
      onPhase(phase) {
        if (phase === 'follow') restarted ??= server.kill('SIGKILL').then(() => server.restart());
      },
    });
    await expect(run).rejects.toMatchObject({ code: expect.stringMatching(/^(?:failed|redis)$/) });
    await restarted;
    await recoverRestore(config.path);
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
  });
});

describe.skipIf(process.getuid?.() !== 0)('files of the wrong owner', () => {
  test.each(['no', 'yes'])('are made the server’s, as the others are (AOF %s)', async (appendonly) => {
    const { server, config } = await prepare({ config: { appendonly, appendfsync: 'always' } });
    await server.kill();
    // As `cp` by root leaves them: in a folder of the server's user.
    for (const name of readdirSync(server.dir, { recursive: true }).map(String))
      chownSync(join(server.dir, name), 0, 0);
    expect(await restore(config)).toMatchObject({ code: 0, json: { plan: { method: 'files' } } });
    const owners = readdirSync(server.dir, { recursive: true })
      .map(String)
      .filter((name) => /^(?:dump\.rdb|appendonlydir)(?:$|\/)/.test(name))
      .map((name) => ({ name, uid: statSync(join(server.dir, name)).uid }));
    expect(owners.length).toBeGreaterThan(0);
    expect(owners.filter(({ uid }) => uid !== serverUser?.uid)).toEqual([]);
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  });
});

describe.skipIf(!canBeNobody)('a disk that is full', () => {
  test('is seen before, or when it is met: nothing was touched, and nothing of ours is left', async () => {
    const { server, config } = await prepare({}, 8);
    await server.kill();
    const mount = (options: string): void => {
      const owner = `mode=750,uid=${serverUser?.uid ?? 0},gid=${serverUser?.gid ?? 0}`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', `${options},${owner}`, 'tmpfs', server.dir]);
    };
    mount('size=4m');
    onTestFinished(async () => {
      await server.kill().catch(() => {});
      execFileSync('umount', ['-l', server.dir]);
    });
    expect(await restore(config)).toMatchObject({ code: 1, json: { error: { reason: 'full' } } });
    execFileSync('mount', ['-o', 'remount,size=200m', server.dir]);
    // Room enough, and a file too many: the folder itself is one.
    for (let inodes = 2; inodes < 7; inodes++) {
      execFileSync('mount', ['-o', `remount,nr_inodes=${inodes}`, server.dir]);
      const { code, json } = await restore(config);
      expect({ inodes, code, ...json.error }).toMatchObject({
        inodes,
        code: 'failed',
        message: expect.stringMatching(/ENOSPC/),
      });
      expect(readdirSync(server.dir, { recursive: true }).map(String)).not.toContain('dump.rdb');
    }
    execFileSync('mount', ['-o', 'remount,nr_inodes=100', server.dir]);
    expect(await restore(config)).toMatchObject({ code: 0, json: { outcome: 'restored' } });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
    await server.kill();
  });
});

test('a user that only the running server knew: it serves, and the same command ends it when the user is back', async () => {
  const server = await manageServer({
    config: { requirepass: 'administrator' },
    password: 'administrator',
  });
  const rights = ['+ping', '+info', '+time', '+config|get', '+bgsave'];
  const addUser = () => server.call('ACL', 'SETUSER', 'agent', 'on', '>of the agent', '-@all', ...rights);
  await addUser();
  const user = { username: 'agent', password: { env: 'AGENT_PASSWORD' } };
  const config = writeConfig({
    instances: [{ ...server.instance, ...user }],
    settings: { verify: { load: false } },
  });
  const env = { AGENT_PASSWORD: 'of the agent' };
  await server.call('SET', 'key', 'as backed up');
  expect(await runAgent(['backup', '--no-verify'], { config, env })).toMatchObject({ code: 0 });
  await server.call('SET', 'key', 'newer');

  const again = () => runAgent(['--json', 'restore', '--yes'], { config, env });
  const { code, json } = await again();
  expect({ code, ...json.error }).toMatchObject({
    code: 'redis',
    message: expect.stringMatching(
      /^the server was started, and does not let the agent in: .*: wrong user or password$/,
    ),
    hint: expect.stringContaining('run the same command again'),
  });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  expect(await again()).toMatchObject({ code: 4 });

  await addUser();
  expect(await again()).toMatchObject({ code: 0, json: { outcome: 'finished' } });
  expect(await server.call('GET', 'key')).toBe('as backed up');
});
