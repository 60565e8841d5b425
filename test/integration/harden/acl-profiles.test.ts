import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EngineVersion } from '../../../src/formats/conf/engine.ts';
import { aclProfiles, findProfile } from '../../../src/formats/acl/profiles/index.ts';
import { profileRules } from '../../../src/formats/acl/profiles/rules.ts';
import { connectRedis, type Reply } from '../../../src/redis/connection/connect.ts';
import { freePort } from '../../support/servers/free-port.ts';
import {
  edgeBuilds,
  serverBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../../support/servers/redis-server.ts';
import { startSentinels, until } from '../../support/servers/sentinels.ts';
import { bullTraffic } from '../../support/traffic/bull.ts';
import { bullmqTraffic } from '../../support/traffic/bullmq.ts';
import { celeryTraffic, hasCelery } from '../../support/traffic/celery.ts';
import { profileCommands, refusedCommands } from '../../support/traffic/commands.ts';
import { everything } from '../../support/house/tier.ts';
import { byIoredis, byNodeRedis } from '../../support/traffic/node-redis.ts';
import type { Login } from '../../support/traffic/traffic.ts';

const password = 'a-long-and-random-secret';

function engineOf({ engine, version }: ServerBuild): EngineVersion {
  return { engine, version, docker: false };
}

function rulesOf(name: string, build: ServerBuild): string[] {
  const profile = findProfile(name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profileRules(profile, engineOf(build));
}

/** A server with one user of that profile. */
async function withUser(name: string, build: ServerBuild): Promise<{ server: TestServer; login: Login }> {
  const server = await startServer({ build });
  await server.call('ACL', 'SETUSER', 'someone', 'reset', 'on', `>${password}`, ...rulesOf(name, build));
  await server.call('ACL', 'LOG', 'RESET');
  return { server, login: { port: server.port, username: 'someone', password } };
}

/** On a connection of its own: a Sentinel that changes a server’s role ends those that are there. */
async function ask(server: TestServer, command: string, ...args: string[]): Promise<Reply> {
  const connection = await connectRedis({ name: 'asking', url: server.url });
  try {
    return await connection.call(command, ...args);
  } finally {
    connection.close();
  }
}

const roleOf = async (server: TestServer): Promise<string> => String(await ask(server, 'ROLE'));

async function denials(server: TestServer): Promise<string[]> {
  const entries = await ask(server, 'ACL', 'LOG', '50');
  return Array.isArray(entries)
    ? entries.map((entry) => (Array.isArray(entry) ? entry.slice(0, 8).join(' ') : ''))
    : [];
}

/** Debian’s 6.0 takes cjson from a package of its own, and BullMQ’s scripts do not run without it. */
async function hasCjson(build: ServerBuild): Promise<boolean> {
  await using server = await startServer({ build });
  const reply = await server.call('EVAL', 'return pcall(function() return cjson.null end) and 1 or 0', 0);
  return reply === 1;
}

const newestAndOldest = edgeBuilds();
const scripting: ServerBuild[] = [];
for (const build of serverBuilds()) if (await hasCjson(build)) scripting.push(build);
const queueBuilds = scripting.filter(
  (build) => newestAndOldest.includes(build) || build.version.startsWith('7.0'),
);

describe.each(queueBuilds)('$name', (build) => {
  test.each([
    ['bullmq', bullmqTraffic],
    ['bull', bullTraffic],
  ] as const)('the profile %s is enough for all that the library does', async (name, traffic) => {
    const { server, login } = await withUser(name, build);
    await traffic(login);
    expect(await denials(server)).toEqual([]);
  });
});

describe.each(newestAndOldest)('$name', (build) => {
  test('every profile is taken by the server, and holds no way to take it over', async () => {
    const server = await startServer({ build });
    for (const profile of aclProfiles) {
      await server.call(
        'ACL',
        'SETUSER',
        profile.name,
        'reset',
        'on',
        `>${password}`,
        ...rulesOf(profile.name, build),
      );
      if (build.version.startsWith('6.') || profile.name === 'admin') continue;
      const forbidden = [
        ['CONFIG', 'SET', 'dir', '/'],
        ['MODULE', 'LOAD', '/x'],
        ['ACL', 'SETUSER', 'x'],
        ['FLUSHALL'],
        ['KEYS', '*'],
        ['SHUTDOWN'],
        ['DEBUG', 'HELP'],
        ['MONITOR'],
      ];
      const allowed: string[] = [];
      for (const [command = '', ...args] of forbidden)
        if ((await server.call('ACL', 'DRYRUN', profile.name, command, ...args)) === 'OK')
          allowed.push(`${profile.name} ${command}`);
      expect(allowed).toEqual([]);
    }
  });

  test.each(Object.keys(profileCommands))(
    '%s: ioredis and node-redis do their work and no more',
    async (name) => {
      const { server, login } = await withUser(name, build);
      for (const by of [byIoredis, byNodeRedis]) await by(login, profileCommands[name] ?? []);
      expect(await denials(server)).toEqual([]);
      for (const words of refusedCommands[name] ?? [])
        await expect(byIoredis(login, [words])).rejects.toThrow('NOPERM');
    },
  );

  test.skipIf(!existsSync('/usr/bin/prometheus-redis-exporter'))(
    'exporter: redis_exporter sees everything',
    async () => {
      const { server, login } = await withUser('exporter', build);
      const metrics = await scrape(login);
      expect(metrics).toMatch(/^redis_up 1$/m);
      expect(metrics).toMatch(/^redis_exporter_last_scrape_error\{err=""\} 0$/m);
      expect(metrics).toMatch(/^redis_config_maxclients \d+$/m);
      expect(await denials(server)).toEqual([]);
    },
  );
});

/** A failover takes its time. */
describe.each(everything ? newestAndOldest : newestAndOldest.slice(0, 1))('$name', (build) => {
  test('replication and sentinel: a replica follows, and the Sentinels fail over by themselves', async () => {
    const users = (of: ServerBuild): string[] => [
      `replica on >${password} ${rulesOf('replication', of).join(' ')}`,
      `watcher on >${password} ${rulesOf('sentinel', of).join(' ')}`,
      `default on nopass ~* &* +@all`.replace(of.version.startsWith('6.0') ? ' &*' : '', ''),
    ];
    const config = { user: users(build), masteruser: 'replica', masterauth: password };
    const master = await startServer({ build, config });
    const replica = await startServer({
      build,
      config: { ...config, replicaof: `127.0.0.1 ${master.port}` },
    });
    const linked = async (): Promise<boolean> =>
      String(await replica.call('INFO', 'replication')).includes('master_link_status:up');
    await until(linked);
    await startSentinels({ build, port: master.port, username: 'watcher', password });
    await master.call('ACL', 'LOG', 'RESET');
    await replica.call('ACL', 'LOG', 'RESET');
    const seen = master.port;
    await master.kill('SIGKILL');
    await until(async () => (await roleOf(replica)).startsWith('master'));
    expect(await denials(replica)).toEqual([]);
    if (!everything) return;
    // The old one comes back, and is made a replica.
    await master.restart();
    expect(master.port).toBe(seen);
    await until(async () => (await roleOf(master)).includes(',connected'));
    expect(await denials(master)).toEqual([]);
  });
});

describe.skipIf(!hasCelery())('Celery', () => {
  test.each(newestAndOldest.slice(-1))(
    'the profile celery is enough for worker, results, chords and control: $name',
    async (build) => {
      const { server, login } = await withUser('celery', build);
      await celeryTraffic(login);
      expect(await denials(server)).toEqual([]);
    },
  );
});

/** One scrape of redis_exporter. */
async function scrape({ port, username, password: secret }: Login): Promise<string> {
  const listen = await freePort();
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      '/usr/bin/prometheus-redis-exporter',
      '--redis.addr',
      `redis://127.0.0.1:${port}`,
      '--redis.user',
      username,
      '--web.listen-address',
      `127.0.0.1:${listen}`,
    ],
    { env: { ...process.env, REDIS_PASSWORD: secret }, stdio: 'ignore' },
  );
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let text = '';
  await until(async () => {
    text = await (await fetch(`http://127.0.0.1:${listen}/metrics`)).text();
    return true;
  });
  return text;
}
