import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { driftJob, enforceJob } from '../../../src/jobs/harden/drift-job.ts';
import { connectRedis, type RedisConnection } from '../../../src/redis/connection/connect.ts';
import { readChanges } from '../../../src/state/changes.ts';
import { hardenerOf } from '../../support/harden/hardened.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds } from '../../support/servers/redis-server.ts';

const run = { signal: new AbortController().signal, progress: { report() {} } };
const secret = 'a-long-and-random-secret-of-the-test';

test('a value that was changed since is a finding, and enforce puts back what runs, not what files say', async () => {
  const server = await manageServer();
  const hardener = await hardenerOf(server);
  const instance = hardener.app.instance(undefined);
  const drift = () => hardener.app.run(driftJob, instance, {}, run);
  const enforce = () => hardener.app.run(enforceJob, instance, { admin: undefined }, run);
  const value = async (name: string): Promise<unknown> =>
    [await server.call('CONFIG', 'GET', name)].flat()[1];
  expect(await drift()).toEqual([]);
  await hardener.apply();
  expect(await drift()).toEqual([]);

  await server.call('CONFIG', 'SET', 'timeout', '0');
  expect(await drift()).toEqual([{ directive: 'timeout', applied: '300', run_time: '0', file: '300' }]);
  expect(await enforce()).toMatchObject({ set: [{ directive: 'timeout', from: '0', to: '300' }], left: [] });
  expect(await value('timeout')).toBe('300');
  expect(await drift()).toEqual([]);

  // A file that somebody has changed is told, and left.
  appendFileSync(server.configFile, 'timeout 30\n');
  await server.call('CONFIG', 'SET', 'timeout', '30');
  expect(await drift()).toMatchObject([{ directive: 'timeout', run_time: '30', file: '30' }]);
  expect(await enforce()).toMatchObject({ set: [], left: ['timeout'] });
  expect(await value('timeout')).toBe('30');
});

test('a value that was right already is watched and put back too; one that is as good is left', async () => {
  const server = await manageServer();
  const hardener = await hardenerOf(server);
  const instance = hardener.app.instance(undefined);
  const drift = () => hardener.app.run(driftJob, instance, {}, run);
  const report = await hardener.apply();
  expect(report.plan.changes.map(({ directive }) => directive)).not.toContain('maxmemory-policy');
  expect(await drift()).toEqual([]);
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  // As good as everysec, by the policy.
  await server.call('CONFIG', 'SET', 'appendfsync', 'always');
  expect(await drift()).toMatchObject([
    { directive: 'maxmemory-policy', applied: 'noeviction', run_time: 'allkeys-lru', file: 'noeviction' },
  ]);
  expect(await hardener.app.run(enforceJob, instance, { admin: undefined }, run)).toMatchObject({
    set: [{ directive: 'maxmemory-policy', from: 'allkeys-lru', to: 'noeviction' }],
    left: [],
  });
  expect(await drift()).toEqual([]);
  expect([await server.call('CONFIG', 'GET', 'appendfsync')].flat()[1]).toBe('always');
});

test('an apply that finds nothing to change is noted, once: what drifts from it is told, and there is nothing to take back', async () => {
  const server = await manageServer({ config: { bind: '127.0.0.1', timeout: '300' } });
  const hardener = await hardenerOf(server);
  const instance = hardener.app.instance(undefined);
  const drift = () => hardener.app.run(driftJob, instance, {}, run);
  const noted = () => readChanges(hardener.app.state(), instance.name);
  const policy = join(dirname(server.configFile), 'policy.yaml');
  const wishes = {
    'maxmemory-policy': { value: 'noeviction' },
    timeout: { value: '60', accept: { at_least: '60', at_most: '3600' } },
    bind: { value: '127.0.0.1', accept: { named: true } },
    'client-output-buffer-limit': { value: ['pubsub 32mb 8mb 60'], accept: { limited: true } },
  };
  const directives = Object.entries(wishes).map(([name, wish]) => [
    name,
    { ...wish, reason: 'r', source: 'https://redis.io' },
  ]);
  const document = { name: 'right', summary: 'as it is', directives: Object.fromEntries(directives) };
  writeFileSync(policy, JSON.stringify(document));
  for (const _ of [1, 2])
    expect(await hardener.apply({ policy })).toMatchObject({ outcome: 'nothing', token: null });
  const [record, ...others] = noted();
  expect([record, others]).toMatchObject([
    {
      kind: 'apply',
      outcome: 'done',
      summary: `policy ${policy}: nothing to change`,
      detail: { changes: [] },
    },
    [],
  ]);
  expect(await drift()).toEqual([]);
  const nothing = {
    code: 'usage',
    message: expect.stringContaining('found all as it is to be, and changed nothing'),
  };
  await expect(hardener.rollback()).rejects.toMatchObject(nothing);
  await expect(hardener.rollback({ id: record?.token ?? '' })).rejects.toMatchObject(nothing);

  // What the policy takes for as good is none.
  await server.call('CONFIG', 'SET', 'timeout', '600');
  await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64mb 8mb 60');
  expect(await drift()).toEqual([]);
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await server.call('CONFIG', 'SET', 'timeout', '0');
  await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0');
  await server.call('CONFIG', 'SET', 'bind', '* -::*');
  expect(await drift()).toMatchObject([
    { directive: 'maxmemory-policy', applied: 'noeviction', run_time: 'allkeys-lru' },
    { directive: 'timeout', applied: '300', run_time: '0' },
    { directive: 'bind', applied: '127.0.0.1', run_time: '* -::*' },
    { directive: 'client-output-buffer-limit', run_time: expect.stringContaining('pubsub 0 0 0') },
  ]);
  expect(await hardener.app.run(enforceJob, instance, { admin: undefined }, run)).toMatchObject({ left: [] });
  expect(await drift()).toEqual([]);

  // The last change is the one before, and what was right without it is watched still.
  await hardener.apply();
  expect(await hardener.apply({ policy })).toMatchObject({ outcome: 'nothing' });
  await hardener.rollback();
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await server.call('CONFIG', 'SET', 'slowlog-max-len', '7');
  expect(await drift()).toMatchObject([{ directive: 'maxmemory-policy' }]);

  // Nothing hangs on the history.
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  hardener.app.state().db.exec('DROP TABLE changes');
  expect(await hardener.apply({ policy })).toMatchObject({ outcome: 'nothing' });
  await expect(hardener.rollback()).rejects.toMatchObject({ code: 'usage', reason: 'missing' });
});

test('what only waits for a restart is nothing to do again, and no further change', async () => {
  const server = await manageServer({ config: { databases: '16' } });
  const hardener = await hardenerOf(server);
  const instance = hardener.app.instance(undefined);
  const { waiting } = await hardener.apply();
  expect(waiting.length).toBeGreaterThan(0);
  expect(await hardener.apply()).toMatchObject({ outcome: 'nothing', waiting });
  expect(readChanges(hardener.app.state(), instance.name)).toHaveLength(1);
  expect(await hardener.app.run(driftJob, instance, {}, run)).toEqual([]);
});

test('what was taken back is no drift', async () => {
  const server = await manageServer();
  const hardener = await hardenerOf(server);
  await hardener.apply();
  await hardener.rollback();
  expect(await hardener.app.run(driftJob, hardener.app.instance(undefined), {}, run)).toEqual([]);
});

test.each(edgeBuilds())(
  '$name: users that were changed are told, and have their rights again',
  async (build) => {
    const server = await manageServer({ build, down: true });
    const old = build.name === 'redis-6.0';
    const hash = sha256(secret);
    const all = old ? '~* +@all' : '~* &* +@all';
    appendFileSync(
      server.configFile,
      ['default on nopass', `boss on #${hash}`, `worker on #${hash}`, `other on #${hash}`]
        .map((user) => `user ${user} ${all}\n`)
        .join(''),
    );
    await server.start();
    const file = join(dirname(server.configFile), 'secret');
    writeFileSync(file, secret, { mode: 0o600 });
    const hardener = await hardenerOf(
      server,
      { username: 'boss', password: { file } },
      {
        harden: {
          acl: { worker: { profile: 'bullmq' }, web: { profile: 'session' }, other: { profile: 'cache' } },
        },
      },
    );
    // Our own connection comes as default: then that is left open.
    const instance = hardener.app.instance(undefined);
    const drift = () => hardener.app.run(driftJob, instance, {}, run);
    const enforce = () => hardener.app.run(enforceJob, instance, { admin: undefined }, run);
    const admin = { username: 'boss', password: new Secret(secret) };
    server.connection.close();
    await hardener.apply();
    expect(await drift()).toEqual([]);
    // As if somebody else had made them so: who is right without our doing is watched as well.
    hardener.app.state().db.exec('DELETE FROM changes');
    expect((await hardener.apply()).outcome).toBe('nothing');
    const boss = await connectRedis({ name: 'boss', url: server.url, ...admin });
    onTestFinished(() => boss.close());
    const before = await listed(boss);

    await boss.call('ACL', 'SETUSER', 'worker', '+flushall');
    await boss.call('ACL', 'SETUSER', 'default', 'on', '>of-somebody-else');
    await boss.call('ACL', 'DELUSER', 'web');
    expect(await drift()).toEqual([
      { user: 'worker', run_time: 'may flushall besides', file: true },
      { user: 'web', run_time: 'is gone', file: true },
      { user: 'default', run_time: 'lets somebody in again', file: true },
    ]);
    expect(await enforce()).toMatchObject({ users: ['worker', 'web', 'default'], left: [] });
    expect(await listed(boss)).toEqual(before);
    expect(await drift()).toEqual([]);

    // Its passwords are gone for good: only the file has them, and only somebody who knows what it was for gives it back.
    await boss.call('ACL', 'SETUSER', 'worker', 'nopass');
    await boss.call('ACL', 'SETUSER', 'other', 'off');
    expect((await drift()).map((each) => ('user' in each ? each.run_time : each))).toEqual([
      'lets anybody in, without a password',
      'is switched off',
    ]);
    expect(await enforce()).toMatchObject({ users: [], left: ['user worker', 'user other'] });
    await boss.call('ACL', 'SETUSER', 'worker', 'resetpass', `#${hash}`);
    // Another password is nobody's concern here.
    await boss.call('ACL', 'SETUSER', 'other', 'on', '>another-password-of-the-test');
    expect(await drift()).toEqual([]);

    // The next start brings it.
    writeFileSync(
      server.configFile,
      readFileSync(server.configFile, 'utf8').replace(/^(user worker .*)$/m, '$1 +flushall'),
    );
    await boss.call('ACL', 'SETUSER', 'worker', '+flushall');
    expect(await drift()).toEqual([{ user: 'worker', run_time: 'may flushall besides', file: false }]);
    expect(await enforce()).toMatchObject({ users: [], left: ['user worker'] });
  },
);

async function listed(connection: RedisConnection): Promise<string[]> {
  const list = await connection.call('ACL', 'LIST');
  return [list]
    .flat()
    .map((line) => String(line).split(' ').toSorted().join(' '))
    .toSorted();
}
