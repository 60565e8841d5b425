import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HardenPlan } from '../../../src/harden/changes.ts';
import type { Reply } from '../../../src/redis/connection/connect.ts';
import { hardenerOf } from '../../support/harden/hardened.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { findBuild, type ServerBuild } from '../../support/servers/server-builds.ts';
import { giveToServer } from '../../support/servers/server-user.ts';

// What a template and a restart do to servers, and that `harden apply` does not.

const value = async (server: ManagedServer, name: string): Promise<unknown> =>
  [await server.call('CONFIG', 'GET', name)].flat()[1];

/** A policy of one directive. */
function policyOf(server: ManagedServer, name: string, wanted: string): string {
  const path = join(dirname(server.configFile), 'policy.yaml');
  writeFileSync(
    path,
    `name: test\nsummary: one\ndirectives:\n  ${name}: { value: ${JSON.stringify(wanted)}, reason: a test, source: here }\n`,
  );
  return path;
}

function add(server: ManagedServer, ...lines: string[]): void {
  appendFileSync(server.configFile, `${lines.join('\n')}\n`);
}

const password = 'sekretsekretsekretsekretsekret12';

/** It runs with all rights; the next start gives the user default fewer, and loads what it appends as that. */
async function lossy(build: ServerBuild | undefined): Promise<ManagedServer> {
  const server = await manageServer({
    ...(build === undefined ? {} : { build }),
    config: { save: '3600 1', requirepass: password },
    password,
  });
  add(server, `user default on >${password} ~* &* +mget +ping +info +auth`);
  return server;
}

/** Turns the append only file on, as a template does, writes two keys by one script, and starts the server again. */
async function appendAndRestart(server: ManagedServer): Promise<Reply> {
  const twice = "redis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 1)";
  await server.call('CONFIG', 'SET', 'appendonly', 'yes');
  await server.call('EVAL', twice, 2, 'a', 'b');
  // A server that still writes its first AOF does not end when it is asked to.
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')))
    .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
  add(server, 'appendonly yes');
  await server.restart();
  return await server.call('MGET', 'a', 'b');
}

async function planToAppend(server: ManagedServer): Promise<HardenPlan> {
  const file = join(dirname(server.configFile), 'password');
  writeFileSync(file, password, { mode: 0o600 });
  const hardener = await hardenerOf(server, { password: { file } });
  return await hardener.plan(policyOf(server, 'appendonly', 'yes'));
}

describe('finding 1: an AOF that replays as a default user with fewer rights', () => {
  const build = findBuild('redis', '7.0');

  test('loses every script where it is turned on all the same', async () => {
    expect(await appendAndRestart(await lossy(build))).toEqual([null, null]);
  });

  test('is not turned on by apply, which says what to do first', async () => {
    const plan = await planToAppend(await lossy(build));
    expect(plan.changes).toEqual([]);
    expect(plan.refused).toMatchObject([
      { directive: 'appendonly', instead: expect.stringContaining('~* &* +@all') },
    ]);
  });
});

test('finding 2: an aclfile without a line for default opens the server; apply refuses it', async () => {
  const server = await manageServer();
  const acl = join(dirname(server.configFile), 'users.acl');
  writeFileSync(acl, `user app on #${'a'.repeat(64)} ~* +@all\n`);
  giveToServer(acl);
  const hardener = await hardenerOf(server);
  const policy = policyOf(server, 'aclfile', acl);
  expect((await hardener.plan(policy)).refused).toMatchObject([{ directive: 'aclfile' }]);
  // The loss, with nothing that holds it back: a password that the file asks for counts for nothing.
  add(server, 'requirepass sekretsekret', `aclfile ${acl}`);
  await server.restart();
  expect(await server.call('PING')).toBe('PONG');
});

describe('finding 3: appendonly yes in the file and a restart', () => {
  test('is an empty server where the file alone is changed', async () => {
    const server = await manageServer({ config: { save: '3600 1' } });
    await server.call('SET', 'key', 'value');
    add(server, 'appendonly yes');
    await server.restart();
    expect(await server.call('DBSIZE')).toBe(0);
  });

  test('keeps everything by apply', async () => {
    const server = await manageServer({ config: { save: '3600 1' } });
    await server.call('SET', 'key', 'value');
    await (await hardenerOf(server)).apply({ policy: policyOf(server, 'appendonly', 'yes') });
    await server.restart();
    expect(await server.call('GET', 'key')).toBe('value');
    expect(await value(server, 'appendonly')).toBe('yes');
  });

  test('and where the file says so already and the server does not run with it, that is mended first', async () => {
    const server = await manageServer({ config: { save: '3600 1' } });
    await server.call('SET', 'key', 'value');
    add(server, 'appendonly yes');
    const report = await (await hardenerOf(server)).apply({ policy: policyOf(server, 'appendonly', 'yes') });
    expect(report.plan.changes).toMatchObject([{ directive: 'appendonly', run_time: 'no', file: 'yes' }]);
    await server.restart();
    expect(await server.call('GET', 'key')).toBe('value');
  });
});

test('finding 4: CONFIG REWRITE puts running values over what somebody has written; apply does not', async () => {
  const edit = 'hz 25';
  const rewritten = await manageServer();
  add(rewritten, '# for the load test', edit);
  await rewritten.call('CONFIG', 'SET', 'timeout', '300');
  await rewritten.call('CONFIG', 'REWRITE');
  expect(readFileSync(rewritten.configFile, 'utf8')).not.toContain(`\n${edit}\n`);

  const server = await manageServer();
  add(server, '# for the load test', edit);
  await (await hardenerOf(server)).apply();
  expect(readFileSync(server.configFile, 'utf8')).toContain(`# for the load test\n${edit}\n`);
  const [calls] = [String(await server.call('INFO', 'commandstats'))];
  expect(calls).not.toMatch(/config\|rewrite|acl\|save|acl\|load/);
});

const six = findBuild('redis', '6');
describe.skipIf(six === undefined)('on redis-6', () => {
  const build = six === undefined ? {} : { build: six };

  test('finding 5: a bind line would open a server without a password: refused', async () => {
    const server = await manageServer(build);
    const plan = await (await hardenerOf(server)).plan(policyOf(server, 'bind', '127.0.0.1 10.99.0.1'));
    expect(plan.refused).toMatchObject([
      { directive: 'bind', why: expect.stringContaining('protected mode') },
    ]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'finding 5: with the line it answers whoever reaches it, and apply keeps it from that',
    async () => {
      // In a network of its own, where it has an address beside loopback; the agent comes by the socket.
      const address = '10.99.0.1';
      const server = await manageServer({
        ...build,
        socket: true,
        within: [
          'unshare',
          '--net',
          'sh',
          '-c',
          `ip link set lo up && ip address add ${address}/32 dev lo && exec "$@"`,
          'sh',
        ],
        config: { port: '6379', bind: [] },
      });
      const fromOutside = async (): Promise<string> => {
        const [pid] = await server.pids();
        const ask = [server.build.cli, '-h', address, 'PING'];
        return execFileSync('nsenter', ['--target', String(pid), '--net', ...ask], { encoding: 'utf8' });
      };
      expect(await fromOutside()).toContain('DENIED');
      const hardener = await hardenerOf(server);
      const policy = policyOf(server, 'bind', `127.0.0.1 ${address}`);
      expect((await hardener.apply({ policy })).plan.changes).toEqual([]);
      await server.restart();
      expect(await fromOutside()).toContain('DENIED');
      await hardener.apply({ policy, stops: {} });
      await server.restart();
      expect(await fromOutside()).toBe('PONG\n');
    },
  );

  test('finding 6: two pairs on a line of save turn saving off; apply writes one a line', async () => {
    const server = await manageServer({ ...build, down: true });
    const text = readFileSync(server.configFile, 'utf8').replace('save ""', 'save 3600 1 300 100');
    writeFileSync(server.configFile, text);
    await server.start();
    expect(await value(server, 'save')).toBe('');
    await (await hardenerOf(server)).apply();
    expect(await value(server, 'save')).toBe('900 1 300 10 60 10000');
    await server.restart();
    expect(await value(server, 'save')).toBe('900 1 300 10 60 10000');
  });
});

const valkeys = [
  ['9', ['1', '1'], []],
  ['8', [null, null], ['appendonly']],
] as const;
describe.each(valkeys)('finding 7: Valkey %s calls itself Redis 7.2.4', (series, kept, refused) => {
  const build = findBuild('valkey', series);

  test.skipIf(build === undefined)(
    `and ${refused.length === 0 ? 'keeps' : 'loses'} what finding 1 is about: judged by its own version`,
    async () => {
      const server = await lossy(build);
      expect(String(await server.call('INFO', 'server'))).toContain('redis_version:7.2.4');
      const plan = await planToAppend(server);
      expect(plan.engine).toBe(`valkey-${server.build.version}`);
      expect(plan.refused.map(({ directive }) => directive)).toEqual(refused);
      // By the version that both say they are, no judge could tell the one that loses from the one that does not.
      expect(await appendAndRestart(server)).toEqual(kept);
    },
  );
});

describe('a plan that would shut somebody out', () => {
  test('is refused where it is the agent; without that, the lifeline takes it back', async () => {
    const server = await manageServer();
    const hardener = await hardenerOf(server);
    const policy = policyOf(server, 'bind', '127.0.0.2');
    expect((await hardener.plan(policy)).refused).toMatchObject([
      { directive: 'bind', why: expect.stringContaining('the agent itself') },
    ]);
    const before = readFileSync(server.configFile, 'utf8');
    await expect(hardener.apply({ policy, stops: {} })).rejects.toMatchObject({
      reason: 'health',
      message: expect.stringContaining('everything is as it was before'),
    });
    expect(await value(server, 'bind')).toBe('127.0.0.1');
    expect(readFileSync(server.configFile, 'utf8')).toBe(before);
    await server.reconnect();
  });

  test('is refused where keys would be evicted: maxmemory below what is in use', async () => {
    const server = await manageServer();
    await server.call('SET', 'big', 'x'.repeat(3_000_000));
    const plan = await (await hardenerOf(server)).plan(policyOf(server, 'maxmemory', '2mb'));
    expect(plan.refused).toMatchObject([{ directive: 'maxmemory' }]);
  });
});
