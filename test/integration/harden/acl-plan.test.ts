import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { agentRights } from '../../../src/app/init/agent-rights.ts';
import { planAcl, type AclPlan, type AclPlanOptions } from '../../../src/harden/acl/plan-acl.ts';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { usersOfList } from '../../../src/harden/read/read-users.ts';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import {
  defaultBuild,
  edgeBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../../support/servers/redis-server.ts';
import { until } from '../../support/servers/sentinels.ts';
import { bullmqTraffic } from '../../support/traffic/bullmq.ts';

const secret = 'a-long-and-random-secret';

async function plan(server: TestServer, options: Partial<AclPlanOptions> = {}): Promise<AclPlan> {
  const { engine, version } = server.build;
  const list = await server.call('ACL', 'LIST');
  const context = { engine, version, docker: false };
  return planAcl(usersOfList(Array.isArray(list) ? list.map(String) : [], context), {
    engine: context,
    wishes: {
      worker: { profile: 'bullmq', keys: ['mail:*'] },
      web: { profile: 'session', without: ['scan'] },
      replica: { profile: 'replication' },
    },
    closeDefault: false,
    connected: new Set(),
    passwordOf: () => sha256(secret),
    ...options,
  });
}

test.each(edgeBuilds())(
  '$name: users become what is wanted, once; and what was there comes back',
  async (build) => {
    const server = await startServer({ build });
    await server.call(
      'ACL',
      'SETUSER',
      'worker',
      'on',
      '>its-own-password-stays',
      '~*',
      '+@all',
      '-flushall',
    );
    await server.call('ACL', 'SETUSER', 'other', 'on', '>x', '~*', '+get');
    const first = await plan(server);
    expect(first.changes.map(({ user, isNew }) => `${user} ${isNew}`)).toEqual([
      'worker false',
      'web true',
      'replica true',
    ]);
    for (const { user, words } of first.changes) await server.call('ACL', 'SETUSER', user, ...words);
    expect(await plan(server)).toEqual({ changes: [], refused: [] });
    const users = String(await server.call('ACL', 'LIST'));
    expect(users).toContain(`#${sha256('its-own-password-stays')}`);
    expect(users).toContain('user other on');
    for (const { user, undo } of first.changes)
      if (undo !== undefined) await server.call('ACL', 'SETUSER', user, ...undo);
    const [again] = (await plan(server)).changes;
    expect(again?.why).toContain('may ~*');
  },
);

test.each(edgeBuilds())(
  '$name: default is closed in the form in which an AOF still replays, and not before there is an admin',
  async (build) => {
    const server = await startServer({ build, config: { appendonly: 'yes', appendfsync: 'always' } });
    const close = { closeDefault: true, wishes: {} };
    expect((await plan(server, close)).refused[0]?.why).toContain('lock everybody out');
    const channels = build.version.startsWith('6.0') ? [] : ['&*'];
    await server.call('ACL', 'SETUSER', 'admin', 'on', `>${secret}`, '~*', ...channels, '+@all');
    expect((await plan(server, { ...close, connected: new Set(['default']) })).refused[0]?.why).toContain(
      'connected as default',
    );
    for (const { user, words } of (await plan(server, close)).changes)
      await server.call('ACL', 'SETUSER', user, ...words);
    expect(await plan(server, close)).toEqual({ changes: [], refused: [] });
  },
);

/** An application that may everything, and the agent’s own user as init makes it. */
async function watched(build: ServerBuild): Promise<{ server: TestServer; config: TestConfig }> {
  const server = await startServer({ build });
  await server.call('ACL', 'SETUSER', 'worker', 'on', `>${secret}`, '~bull:*', '+@all');
  const rights = agentRights(build.version).flatMap((each) => each.rights);
  await server.call('ACL', 'SETUSER', 'agent', 'on', `>${secret}`, '-@all', ...rights);
  return { server, config: writeConfig({ server, username: 'agent', password: secret }) };
}

test('suggest: the rule from a while of BullMQ runs the same traffic, and names its profile', async () => {
  const { server, config } = await watched(defaultBuild());
  const login = { port: server.port, username: 'worker', password: secret };
  const watching = runAgent(['harden', 'acl', 'suggest', 'worker', '--from-traffic', '8s', '--json'], {
    config,
  });
  // The first one only tries whether it may.
  await until(async () =>
    /client\|list:calls=(?!1,)/.test(String(await server.call('INFO', 'commandstats'))),
  );
  // As the daemon does meanwhile; the worker may it too, and has no need of it.
  await server.call('SLOWLOG', 'GET', 1);
  await server.call('CONFIG', 'GET', 'maxclients');
  await bullmqTraffic(login);
  const { json, code } = await watching;
  expect(code).toBe(0);
  expect(json).toMatchObject({ user: 'worker', profile: 'bullmq' });
  expect(json.rules).toContain('~bull:*');
  expect(json.rules).not.toContain('+keys');
  expect(json.rules.filter((rule: string) => /slowlog|config|acl/.test(rule))).toEqual([]);
  expect(JSON.stringify(json.notes)).toContain('what did not happen meanwhile is missing');
  expect(JSON.stringify(json.notes)).toMatch(/the agent runs these too, and they are left out.*slowlog/);
  await server.call('FLUSHALL');
  await server.call('ACL', 'SETUSER', 'worker', 'resetkeys', ...json.rules);
  await server.call('ACL', 'LOG', 'RESET');
  const denied = until(async () => {
    const log = await server.call('ACL', 'LOG');
    return Array.isArray(log) && log.length > 0;
  }, 30_000).then(
    async () => Promise.reject(new Error(JSON.stringify(await server.call('ACL', 'LOG')))),
    () => undefined,
  );
  await Promise.race([bullmqTraffic(login), denied]);
  expect(await server.call('ACL', 'LOG')).toEqual([]);
});

test.each(edgeBuilds())(
  'suggest on $name: what is missing is named, and an administrator may look',
  async (build) => {
    const { server, config } = await watched(build);
    const listing = build.version.startsWith('6') ? '-acl' : '-acl|list';
    await server.call('ACL', 'SETUSER', 'agent', listing, '-client');
    const ask = ['harden', 'acl', 'suggest', 'worker', '--from-traffic', '1s', '--json'];
    const refused = await runAgent(ask, { config });
    expect(refused.json.error).toMatchObject({
      message: 'instance main: user agent may not run ACL LIST and CLIENT LIST',
      hint: expect.stringContaining('ACL SETUSER agent +acl|list +client|list; or'),
    });
    expect(refused.code).not.toBe(0);
    const client = new Redis({ port: server.port, username: 'worker', password: secret });
    onTestFinished(() => client.disconnect());
    await client.set('bull:x', '1');
    const password = join(config.folder, 'admin.secret');
    writeFileSync(password, `${secret}\n`, { mode: 0o600 });
    await server.call('ACL', 'SETUSER', 'admin', 'on', `>${secret}`, '~*', '+@all');
    const { json, code } = await runAgent([...ask, '--username', 'admin', '--password-file', password], {
      config,
    });
    expect(code).toBe(0);
    expect(json.rules).toContain('+set');
  },
);

test('suggest: nobody there, and no such user', async () => {
  const server = await startServer();
  await server.call('ACL', 'SETUSER', 'idle', 'on', `>${secret}`, '~*', '+@all');
  const config = writeConfig({ server });
  const ask = ['harden', 'acl', 'suggest'];
  const idle = await runAgent([...ask, 'idle', '--from-traffic', '1s'], { config });
  expect(idle.code).toBe(1);
  expect(idle.stderr).toContain('nobody was connected as idle');
  expect((await runAgent([...ask, 'nobody', '--from-traffic', '1s'], { config })).code).toBe(2);
});
