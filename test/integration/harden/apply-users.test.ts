import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { hardenerOf, type Hardener } from '../../support/harden/hardened.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds, serverBuilds, type ServerBuild } from '../../support/servers/redis-server.ts';
import { everything } from '../../support/house/tier.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { giveToServer } from '../../support/servers/server-user.ts';

const secret = 'a-long-and-random-secret-of-the-test';
const hash = sha256(secret);
const admin = { username: 'admin', password: new Secret(secret) };

type Kind = 'inline' | 'aclfile';

/** A server whose users stand where `kind` says: an admin, the agent, a worker with far too much, somebody else. */
async function withUsers(
  build: ServerBuild | undefined,
  kind: Kind,
): Promise<{ server: ManagedServer; file: string }> {
  const server = await manageServer({ ...(build && { build }), down: true });
  const folder = dirname(server.configFile);
  const old = server.build.engine === 'redis' && server.build.version.startsWith('6.0');
  const channels = old ? '' : ' &*';
  const lines = [
    `user admin on #${hash} ~*${channels} +@all`,
    `user redis-agent on #${hash} ~*${channels} +@all`,
    `user worker on #${hash} ~*${channels} +@all -flushall`,
    `user other on #${hash} ~o:* +get`,
    `user default on nopass ~*${channels} +@all`,
  ];
  const file = kind === 'aclfile' ? join(folder, 'users.acl') : server.configFile;
  if (kind === 'aclfile') {
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o640 });
    appendFileSync(server.configFile, `aclfile ${file}\n`);
  } else appendFileSync(server.configFile, `# mine\n${lines.join('\n')}\n# the end\n`);
  giveToServer(folder);
  await server.start();
  return { server, file };
}

async function hardened(server: ManagedServer, harden: Record<string, unknown>): Promise<Hardener> {
  const file = join(makeTempFolder(), 'secret');
  writeFileSync(file, secret, { mode: 0o600 });
  onTestFinished(() => removeTempFolder(dirname(file)));
  return await hardenerOf(server, { username: 'redis-agent', password: { file } }, { harden });
}

const acl = {
  worker: { profile: 'bullmq' },
  web: { profile: 'session', without: ['scan'] },
};

const users = async (server: ManagedServer): Promise<string[]> => {
  const connection = await connectRedis({ name: 'test', url: server.url, ...admin });
  const list = await connection.call('ACL', 'LIST');
  connection.close();
  return Array.isArray(list)
    ? list.map((line) => String(line).split(' ').toSorted().join(' ')).toSorted()
    : [];
};

/** Everything that a user may be told, and nothing that he may not. */
function requireSilent(text: string): void {
  expect(text).not.toContain(secret);
  expect(text).not.toMatch(/[0-9a-f]{64}(?!")/);
}

/** A producer and a worker that go on until the test ends them; they connect as that user. */
function traffic(server: ManagedServer, login: { username: string; password: string }) {
  const port = Number(new URL(server.url).port);
  const connection = { host: '127.0.0.1', port, ...login, maxRetriesPerRequest: null };
  const done = new Set<string>();
  const troubles: string[] = [];
  const queue = new Queue('mail', { connection });
  const worker = new Worker('mail', async (job) => Promise.resolve(void done.add(job.id ?? '')), {
    connection,
  });
  queue.on('error', ({ message }) => void troubles.push(message));
  worker.on('error', ({ message }) => void troubles.push(message));
  let added = 0;
  const running = new AbortController();
  const producing = (async () => {
    while (!running.signal.aborted) {
      await queue.add('job', { added });
      added++;
    }
  })();
  return {
    async end(): Promise<{ added: number; done: number; troubles: string[] }> {
      running.abort();
      await producing;
      for (;;) {
        const counts = await queue.getJobCounts('wait', 'active');
        if ((counts['wait'] ?? 0) + (counts['active'] ?? 0) === 0) break;
      }
      await worker.close();
      await queue.close();
      return { added, done: done.size, troubles };
    },
  };
}

async function hasCjson(server: ManagedServer): Promise<boolean> {
  return (await server.call('EVAL', 'return pcall(function() return cjson.null end) and 1 or 0', 0)) === 1;
}

const builds = everything ? serverBuilds() : edgeBuilds();
describe.each(builds)('users on $name', (build) => {
  test.each(['inline', 'aclfile'] as const)(
    '%s: they become what the configuration wants while BullMQ runs, and go back to the byte',
    async (kind) => {
      const { server, file } = await withUsers(build, kind);
      const hardener = await hardened(server, { acl });
      const [bytes, attributes] = [readFileSync(file), statSync(file)];
      const before = await users(server);
      const runs = (await hasCjson(server))
        ? traffic(server, { username: 'worker', password: secret })
        : undefined;
      // Our own connections come as default: that is for the second time.
      server.connection.close();
      const plan = await hardener.plan(undefined, admin);
      expect(plan.users.map(({ user, kind: what }) => `${user} ${what}`)).toEqual([
        'worker rights',
        'web new',
        'default closed',
      ]);
      requireSilent(
        JSON.stringify({
          ...plan,
          fingerprint: '',
          files: plan.files.map((each) => ({ ...each, before: '', after: '' })),
        }),
      );
      const report = await hardener.apply({ admin, agreed: plan });
      expect(report.outcome).toBe('done');
      const [made] = report.passwords;
      expect(report.passwords).toHaveLength(1);
      const password = readFileSync(made?.path ?? '', 'utf8').trim();
      expect(password).toMatch(/^[0-9a-f]{64}$/);
      expect(statSync(made?.path ?? '').mode & 0o777).toBe(0o600);
      const text = readFileSync(file, 'utf8');
      expect(text).not.toContain(password);
      expect(text).toContain(`#${sha256(password)}`);
      expect(text).toContain(`user other on #${hash} ~o:* +get\n`);
      expect(text).toMatch(/^user default off resetpass ~\* (?:&\* )?\+@all$/m);
      expect([statSync(file).mode, statSync(file).uid, statSync(file).gid]).toEqual([
        attributes.mode,
        attributes.uid,
        attributes.gid,
      ]);
      // No comment in an aclfile: no server would start with it.
      expect(text.includes('# ')).toBe(kind === 'inline');
      // The new user gets in, the worker has lost what it does not need, nobody comes as default.
      const web = await connectRedis({
        name: 'web',
        url: server.url,
        username: 'web',
        password: new Secret(password),
      });
      await expect(web.call('GET', 'elsewhere')).rejects.toMatchObject({ reason: 'noperm' });
      web.close();
      const plain = connectRedis({ name: 'plain', url: server.url });
      await expect(plain.then((connection) => connection.call('GET', 'x'))).rejects.toMatchObject({
        code: 'redis',
      });
      const { added = 0, done = 0, troubles = [] } = (await runs?.end()) ?? {};
      expect(troubles).toEqual([]);
      expect(added > 0).toBe(runs !== undefined);
      expect(done).toBe(added);
      expect((await hardener.plan(undefined, admin)).users).toEqual([]);
      const after = await users(server);
      const back = await hardener.rollback({ admin });
      expect(back.passwords).toEqual([made?.path]);
      expect(existsSync(made?.path ?? '')).toBe(false);
      expect(readFileSync(file)).toEqual(bytes);
      expect(await users(server)).toEqual(before);
      // A second time it comes to the same, but for the password.
      await hardener.apply({ admin });
      const sameHash = (lines: string[]): string[] => lines.map((line) => line.replace(/#[0-9a-f]{64}/, '#'));
      expect(sameHash(await users(server)).toSorted()).toEqual(sameHash(after).toSorted());
    },
    60_000,
  );
});

describe('refused, and the rest is done', () => {
  const why = async (
    server: ManagedServer,
    harden: Record<string, unknown>,
    as: typeof admin | undefined = admin,
  ): Promise<string[]> => {
    const { refused } = await (await hardened(server, harden)).plan(undefined, as);
    return refused
      .filter(({ directive }) => directive.startsWith('user'))
      .map((each) => `${each.directive}: ${each.why}`);
  };

  test('what would lock out the agent, whoever applies it, or clients that come as default', async () => {
    const { server } = await withUsers(undefined, 'inline');
    const wishes = { 'redis-agent': { profile: 'session' }, admin: { profile: 'readonly' } };
    const found = await why(server, { acl: wishes });
    expect(found[0]).toContain(
      'user redis-agent: the agent itself logs in as redis-agent, and would be refused',
    );
    expect(found[1]).toContain('user admin: whoever changes this logs in as admin, and would be refused');
    // The test's own connection.
    expect(found[2]).toContain('user default: clients are connected as default');
    const byDefault = await hardenerOf(server, {}, { harden: { acl } });
    const { refused } = await byDefault.plan();
    expect(refused.find(({ directive }) => directive === 'user default')?.why).toContain(
      'the agent itself logs in as default',
    );
  });

  test('replicas and Sentinels keep what they need', async () => {
    const { server } = await withUsers(undefined, 'inline');
    const { port } = new URL(server.url);
    for (const name of ['repl', 'watch'])
      await server.call('ACL', 'SETUSER', name, 'on', `>${secret}`, '~*', '&*', '+@all');
    const replica = await manageServer({
      build: server.build,
      config: { replicaof: `127.0.0.1 ${port}`, masteruser: 'repl', masterauth: secret },
    });
    const sentinel = await connectRedis({
      name: 'sentinel',
      url: server.url,
      username: 'watch',
      password: new Secret(secret),
    });
    onTestFinished(() => sentinel.close());
    await sentinel.call('CLIENT', 'SETNAME', 'sentinel-0123abcd-cmd');
    for (;;) if (String(await server.call('ROLE')).includes('127.0.0.1')) break;
    const found = await why(server, {
      acl: { repl: { profile: 'cache' }, watch: { profile: 'replication' } },
    });
    expect(found[0]).toContain('user repl: replicas log in as repl, and would be refused psync, replconf');
    expect(found[1]).toContain('user watch: a Sentinel logs in as watch, and would be refused');
    expect(
      await why(server, {
        acl: { repl: { profile: 'replication' }, watch: { profile: 'sentinel' } },
        close_default: false,
      }),
    ).toEqual([]);
    await replica.kill();
    // One that would come as default after a failover.
    await server.call('CONFIG', 'SET', 'masterauth', secret);
    server.connection.close();
    expect((await why(server, { acl }))[0]).toContain('after a failover its replicas log in as default');
  });

  test('an aclfile that cannot be replaced, before anything is begun', async () => {
    const { server, file } = await withUsers(undefined, 'aclfile');
    const hardener = await hardened(server, { acl, close_default: false });
    writeFileSync(file, `# Ansible managed\n${readFileSync(file, 'utf8')}`);
    await expect(hardener.apply({ admin })).rejects.toMatchObject({ reason: 'managed-file' });
    expect(readdirSync(dirname(file))).not.toContain('.redis-agent-harden');
  });

  test('a user that was given another right meanwhile is not rolled back; a new password stays', async () => {
    const { server } = await withUsers(undefined, 'inline');
    const hardener = await hardened(server, { acl, close_default: false });
    await hardener.apply({ admin });
    await server.call('ACL', 'SETUSER', 'worker', '+flushall');
    await expect(hardener.rollback({ admin })).rejects.toMatchObject({ code: 'refused', reason: 'edited' });
    await server.call('ACL', 'SETUSER', 'worker', '-flushall', '>another-password-of-the-test');
    await hardener.rollback({ admin });
    expect(String(await server.call('ACL', 'LIST'))).toContain(sha256('another-password-of-the-test'));
  });
});

test('a password that is there already is used, where it is ours alone', async () => {
  const { server } = await withUsers(undefined, 'inline');
  const hardener = await hardened(server, { acl, close_default: false });
  const [first] = (await hardener.apply({ admin })).passwords;
  const path = first?.path ?? '';
  const password = readFileSync(path, 'utf8');
  await hardener.rollback({ admin });
  expect(await server.call('ACL', 'GETUSER', 'web')).toBeNull();
  // As somebody does who copies it to the host of a replica.
  writeFileSync(path, password, { mode: 0o600 });
  chmodSync(path, 0o644);
  await expect(hardener.apply({ admin })).rejects.toMatchObject({ reason: 'passwords' });
  chmodSync(path, 0o600);
  await hardener.apply({ admin });
  expect(readFileSync(path, 'utf8')).toBe(password);
  expect(String(await server.call('ACL', 'LIST'))).toContain(sha256(password.trim()));
  // It was not made by that change, and stays.
  expect((await hardener.rollback({ admin })).passwords).toEqual([]);
  expect(readFileSync(path, 'utf8')).toBe(password);
});

test('a restart that would forget a user is refused before anything is changed', async () => {
  const server = await manageServer({ config: { save: '3600 1', 'tcp-backlog': '128' } });
  await server.call('ACL', 'SETUSER', 'made-by-hand', 'on', `#${hash}`, '~*', '+get');
  const before = readFileSync(server.configFile);
  const hardener = await hardenerOf(server);
  await expect(hardener.apply({ restart: true })).rejects.toMatchObject({
    code: 'refused',
    reason: 'restart',
    message: expect.stringContaining('stands in no file, and would be gone: made-by-hand'),
  });
  expect(readFileSync(server.configFile)).toEqual(before);
  expect((await hardener.apply()).waiting).toContain('tcp-backlog');
});
