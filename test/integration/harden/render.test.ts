import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { policyNames } from '../../../src/harden/policy.ts';
import type { UserId } from '../../../src/lib/process/act-as.ts';
import { connectRedis, type RedisConnection } from '../../../src/redis/connection/connect.ts';
import { runAgent } from '../../support/agent/cli.ts';
import { everything } from '../../support/house/tier.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { hasEnded, outputOf, spawnOwned } from '../../support/servers/owned-process.ts';
import { until } from '../../support/servers/sentinels.ts';
import {
  defaultBuild,
  edgeBuilds,
  serverBuilds,
  type ServerBuild,
} from '../../support/servers/server-builds.ts';
import { giveToServer, serverUser } from '../../support/servers/server-user.ts';

const engineOf = ({ engine, version }: ServerBuild): string => `${engine}-${version}`;

/** A folder with what is rendered. */
async function rendered(build: ServerBuild, ...words: string[]): Promise<string> {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  chmodSync(folder, 0o711);
  const out = join(folder, 'out');
  const ask = ['harden', 'render', '--engine', engineOf(build), '--memory', '1gb', '--out', out, ...words];
  const { code, stdout } = await runAgent(ask, {});
  expect(code, stdout).toBe(0);
  for (const secret of secretsOf(out)) expect(stdout).not.toContain(secret);
  return out;
}

const passwordOf = (out: string, user: string): string =>
  readFileSync(join(out, `${user}-password`), 'utf8').trim();
const secretsOf = (out: string): string[] =>
  readFileSync(join(out, 'users.acl'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, user] = /^user (\S+) on /.exec(line) ?? [];
      return user === undefined ? [] : [passwordOf(out, user)];
    });

/** Starts the program with a file, which says where it listens and where its data lies on this machine. */
async function start(
  build: ServerBuild,
  file: string,
  { as = serverUser, more = [] }: { as?: UserId | undefined; more?: string[] } = {},
): Promise<{ port: number; end(): Promise<void> }> {
  const port = await freePort();
  const at = join(file, '..');
  const data = join(at, `data-${port}`);
  mkdirSync(data);
  const text = readFileSync(file, 'utf8')
    .replaceAll(/\/etc\/(?:redis|valkey)(?=\/)/g, at)
    .replace(/^dir .*\n/m, '')
    .replace(/^logfile .*/m, 'logfile ""')
    .replace(/^port .*/m, `port ${port}\ndir ${data}`);
  writeFileSync(file, text);
  if (as === serverUser) giveToServer(at);
  else if (as !== undefined) chownSync(data, as.uid, as.gid);
  const child = spawnOwned(build.server, [file, ...more], at, as);
  const end = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(end);
  const said = outputOf(child);
  const url = `redis://127.0.0.1:${port}`;
  await until(async () => {
    if (hasEnded(child)) throw new Error(said());
    return await connectRedis({ name: 'is it there', url }).then(
      (connection) => (connection.close(), true),
      (error: unknown) => (error instanceof AgentError && error.reason === 'noauth') || Promise.reject(error),
    );
  });
  return { port, end };
}

async function loginAs(out: string, port: number, user = 'admin'): Promise<RedisConnection> {
  const connection = await connectRedis({
    name: user,
    url: `redis://127.0.0.1:${port}`,
    username: user,
    password: new Secret(passwordOf(out, user)),
  });
  onTestFinished(() => connection.close());
  return connection;
}

describe.each(serverBuilds())('harden render for $name', (build) => {
  test.each([...policyNames])(
    '%s: the server starts with it, and nobody gets in but the admin',
    async (policy) => {
      const out = await rendered(build, '--policy', policy);
      expect(statSync(join(out, 'admin-password')).mode & 0o777).toBe(0o600);
      const { port } = await start(build, join(out, 'redis.conf'));
      const connection = await loginAs(out, port);
      expect([await connection.call('CONFIG', 'GET', 'maxmemory-policy')].flat()[1]).toBe(
        { cache: 'allkeys-lru', session: 'volatile-lru', queue: 'noeviction', durable: 'noeviction' }[policy],
      );
      await expect(
        connectRedis({ name: 'rendered', url: `redis://127.0.0.1:${port}` }),
      ).rejects.toMatchObject({ reason: 'noauth' });
    },
  );
});

test.each(everything ? edgeBuilds() : [defaultBuild()])(
  '$name --with sentinel: a replica and a Sentinel log in as users of theirs',
  async (build) => {
    const out = await rendered(build, '--policy', 'durable', '--with', 'sentinel');
    appendFileSync(join(out, 'redis.conf'), 'repl-diskless-sync-delay 0\n');
    const replica = join(out, '..', 'replica');
    cpSync(out, replica, { recursive: true });
    const { port } = await start(build, join(out, 'redis.conf'));
    appendFileSync(join(replica, 'redis.conf'), `replicaof 127.0.0.1 ${port}\n`);
    const second = await start(build, join(replica, 'redis.conf'));
    const follower = await loginAs(replica, second.port);
    await until(async () =>
      String(await follower.call('INFO', 'replication')).includes('master_link_status:up'),
    );
    const watching = join(out, '..', 'sentinel');
    cpSync(out, watching, { recursive: true });
    const conf = join(watching, 'sentinel.conf');
    writeFileSync(conf, readFileSync(conf, 'utf8').replace(/127\.0\.0\.1 \d+ 2/, `127.0.0.1 ${port} 1`));
    const { port: at } = await start(build, conf, { more: ['--sentinel'] });
    const sentinel = await connectRedis({ name: 'sentinel', url: `redis://127.0.0.1:${at}` });
    onTestFinished(() => sentinel.close());
    // It has found the replica through the master, and may see both.
    await until(async () => {
      const [one] = [await sentinel.call('SENTINEL', 'REPLICAS', 'mymaster').catch(() => [])].flat();
      return String(one).includes(`127.0.0.1,port,${second.port}`) && String(one).includes('flags,slave,');
    });
  },
);

test('--with cluster: it is one, and its nodes would follow one another', async () => {
  const build = defaultBuild();
  const out = await rendered(build, '--policy', 'cache', '--with', 'cluster');
  const { port } = await start(build, join(out, 'redis.conf'));
  const admin = await loginAs(out, port);
  expect(String(await admin.call('INFO', 'cluster'))).toContain('cluster_enabled:1');
  expect([await admin.call('CONFIG', 'GET', 'masteruser')].flat()[1]).toBe('replica');
  (await loginAs(out, port, 'replica')).close();
});

test('the pair for compose: as whose it is said to run the server may read it as it was written', async () => {
  const build = defaultBuild();
  const out = await rendered(build, '--policy', 'queue');
  const compose = readFileSync(join(out, 'compose/compose.yaml'), 'utf8');
  const [, uid, gid] = /user: "(\d+):(\d+)"/.exec(compose) ?? [];
  const as = { uid: Number(uid), gid: Number(gid) };
  for (const name of ['conf', 'data', 'conf/redis.conf', 'conf/users.acl']) {
    const stats = statSync(join(out, 'compose', name));
    expect([name, stats.uid, stats.gid]).toEqual([name, as.uid, as.gid]);
  }
  // The daemon of Docker mounts the folder by itself, wherever it lies.
  const conf = join(out, '..', 'conf');
  renameSync(join(out, 'compose/conf'), conf);
  const { port } = await start(build, join(conf, 'redis.conf'), { as });
  expect(await (await loginAs(out, port)).call('PING')).toBe('PONG');
});

test.each([
  [['--engine', 'redis-5.0'], 'has no users'],
  [['--port', '70000'], 'is no port'],
  [
    ['--policy', 'MINE', '{ "timeout": { "value": "soon", "reason": "r", "source": "s" } }'],
    'timeout: must be',
  ],
  [
    ['--policy', 'MINE', '{ "timeuot": { "value": 3, "reason": "r", "source": "s" } }'],
    'did you mean timeout?',
  ],
])('%s: what would not start is not written', async (words, said) => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const mine = join(folder, 'mine.yaml');
  writeFileSync(mine, `name: mine\nsummary: ours\nextends: queue\ndirectives: ${words[2] ?? '{}'}\n`);
  const asked = words.slice(0, 2).map((word) => (word === 'MINE' ? mine : word));
  const policy = asked.includes('--policy') ? [] : ['--policy', 'queue'];
  const out = join(folder, 'out');
  const { code, stderr } = await runAgent(['harden', 'render', ...policy, ...asked, '--out', out], {});
  expect(stderr).toContain(said);
  expect(code).toBe(2);
  expect(existsSync(out)).toBe(false);
});
