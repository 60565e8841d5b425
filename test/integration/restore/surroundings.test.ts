import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/cli.ts';
import { fillServer } from '../../support/data-set.ts';
import { describeData } from '../../support/describe-data.ts';
import { manageServer, type ManagedOptions, type ManagedServer } from '../../support/managed-server.ts';
import { expectOk } from '../../support/prove-path.ts';

const secret = 'only-for-this-server-51c2';

interface Case {
  what: string;
  options: ManagedOptions;
  /** Of the agent's settings for this instance; an undefined one is left out. */
  instance?: (config: TestConfig) => Record<string, unknown>;
  /** The agent may not do what the live method needs. */
  leastRights?: boolean;
}

const cases: Case[] = [
  {
    what: 'directives in included files, some by pattern, names with spaces',
    options: {
      config(folder) {
        mkdirSync(join(folder, 'conf.d'));
        mkdirSync(join(folder, 'the data'));
        writeFileSync(join(folder, 'conf.d/10-data.conf'), `dir "${join(folder, 'the data')}"\n`);
        writeFileSync(join(folder, 'conf.d/20-aof.conf'), `Include "${join(folder, 'aof.conf')}"\n`);
        const names = 'APPENDONLY yes\nappenddirname "AOF of mine"\nappendfilename \'my.aof\'\n';
        writeFileSync(
          join(folder, 'aof.conf'),
          `# a comment\n\n  ${names}dbfilename "all \\x6dy keys.rdb"\n`,
        );
        return { include: join(folder, 'conf.d/*.conf') };
      },
    },
  },
  {
    what: 'an include that counts from dir, since that stands before it',
    options: {
      config(folder) {
        writeFileSync(join(folder, 'more.conf'), 'dbfilename more.rdb\n');
        return { include: '../more.conf' };
      },
    },
  },
  {
    what: 'a relative dir, counted from where it was started',
    options: { config: { dir: './data' }, startIn: (folder) => folder },
    instance: () => ({ service: undefined }),
  },
  {
    what: 'no dir at all',
    options: {
      config: { dir: [], dbfilename: 'here.rdb' },
      startIn: (folder) => join(folder, 'data'),
    },
    instance: () => ({ service: undefined }),
  },
  { what: 'a unix socket and no port', options: { socket: true, config: { appendonly: 'yes' } } },
  {
    what: 'a password',
    options: { password: secret, config: { requirepass: secret } },
    instance: (config) => ({ password: config.secret('main', secret) }),
  },
  {
    what: 'users in an ACL file, one of least rights for the agent',
    options: {
      password: secret,
      config(folder) {
        const rights = '-@all +ping +info +time +config|get +bgsave';
        const users = `user default on >${secret} ~* &* +@all\nuser agent on >${secret} ${rights}\n`;
        writeFileSync(join(folder, 'users.acl'), users);
        return { aclfile: join(folder, 'users.acl') };
      },
    },
    instance: (config) => ({ username: 'agent', password: config.secret('main', secret) }),
    leastRights: true,
  },
];

/** A server in these surroundings, filled, and the agent's configuration for it. */
async function prepare({ options, instance }: Case): Promise<{ server: ManagedServer; config: TestConfig }> {
  const server = await manageServer(options);
  const config = writeConfig({});
  const settings = Object.entries({ ...server.instance, ...instance?.(config) });
  config.rewrite({ instances: [Object.fromEntries(settings.filter(([, value]) => value !== undefined))] });
  await fillServer(server);
  await settleAof(server);
  return { server, config };
}

const packaged = '/etc/redis/redis.conf';
if (existsSync(packaged))
  cases.push({
    what: 'the redis.conf of the distribution: a daemon that saves by itself',
    options: {
      config(folder) {
        // All but where it is.
        const lines = readFileSync(packaged, 'utf8').split('\n');
        const other = lines.filter((line) => !/^(?:bind|port|dir|logfile|pidfile|unixsocket) /.test(line));
        writeFileSync(join(folder, 'packaged.conf'), other.join('\n'));
        return { include: join(folder, 'packaged.conf'), save: [] };
      },
    },
    instance: () => ({ service: undefined }),
  });

test.for(cases)('with $what: placed, served after another start, and undone', async (one) => {
  const { server, config } = await prepare(one);
  const backedUp = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.call('DEL', 'list:long');
  await server.call('SET', 'string:raw', 'changed');
  const later = await describeData(server);

  const restored = await restore(config, 'files');
  expect(restored.json.plan.notes.join()).not.toContain('configuration');
  for (const path of restored.json.set_aside) expect(dirname(path)).toBe(restored.json.plan.dir);
  await server.reconnect();
  expect(await describeData(server)).toEqual(backedUp);
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);
  await restore(config, 'files', '--undo');
  await server.reconnect();
  expect(await describeData(server)).toEqual(later);
});

test.for(cases.filter(({ leastRights }) => leastRights !== true))('with $what: live', async (one) => {
  const { server, config } = await prepare(one);
  const backedUp = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.call('DEL', 'list:long');
  await server.call('SET', 'string:raw', 'changed');
  await restore(config, 'live');
  expect(await describeData(server)).toEqual(backedUp);
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);
});

test('as a user of least rights, live: says which rights are missing, and these are enough', async () => {
  const [one] = cases.filter(({ leastRights }) => leastRights === true);
  if (one === undefined) throw new Error('there is one');
  const { server, config } = await prepare(one);
  const before = await describeData(server);
  await takeBackup(config, '--no-verify');
  const refused = await runAgent(['--json', 'restore', '--yes', '--method', 'live'], { config });
  expect(refused).toMatchObject({ code: 7, json: { error: { reason: 'rights' } } });
  expect(await describeData(server)).toEqual(before);
  await server.call('SET', 'string:raw', 'changed');
  const [, user = '', rights = ''] =
    /ACL SETUSER (\S+) ((?:\+\S+ ?)+)/.exec(refused.json.error.hint.replace(',', '')) ?? [];
  expect(user).toBe('agent');
  await server.call('ACL', 'SETUSER', user, ...rights.trim().split(' '));
  await server.call('ACL', 'LOG', 'RESET');
  await restore(config, 'live');
  expect(await describeData(server)).toEqual(before);
  expect(await server.call('ACL', 'LOG')).toEqual([]);
});

test('an include that counts from where it was started: not stopped, since a start could fail; live restored', async () => {
  const { server, config } = await prepare({
    what: '',
    options: {
      config(folder) {
        writeFileSync(join(folder, 'more.conf'), `dir ${join(folder, 'data')}\n`);
        return { dir: [], include: 'more.conf' };
      },
      startIn: (folder) => folder,
    },
    instance: () => ({ service: undefined }),
  });
  const backedUp = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.call('DEL', 'list:long');
  const files = ['--json', 'restore', '--method', 'files'];
  const planned = await runAgent([...files, '--dry-run'], { config });
  expect(planned.json.plan.notes.join()).toContain('more.conf: ENOENT');
  expect(await runAgent([...files, '--yes'], { config })).toMatchObject({
    code: 7,
    json: { error: { reason: 'service' } },
  });
  await restore(config, 'live');
  expect(await describeData(server)).toEqual(backedUp);
});

test.each([
  ['replicaof', { replicaof: '127.0.0.1 1' }, 'its next start makes it a replica of 127.0.0.1'],
  ['databases', { databases: '10' }, 'keys in database 15, and the server starts with 10 databases'],
])('%s in its configuration, which what is restored would not survive: refused', async (name, more, why) => {
  const { server, config } = await prepare({ what: '', options: {} });
  await takeBackup(config, '--no-verify');
  server.configure(more);
  const refused = await runAgent(['--json', 'restore', '--yes', '--method', 'files'], { config });
  expect(refused).toMatchObject({
    code: 7,
    json: { error: { reason: name.replace('replicaof', 'replica'), message: expect.stringContaining(why) } },
  });
  server.configure({ replicaof: 'no one', databases: '16' });
  await restore(config, 'files');
  await server.reconnect();
});

test('a relative dir of a server that is down: says from where it has to be known', async () => {
  const server = await manageServer({ config: { dir: './data' }, startIn: (folder) => folder });
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'x');
  await takeBackup(config, '--no-verify');
  await server.kill();
  const { code, json } = await runAgent(['--json', 'restore', '--yes', '--method', 'files'], { config });
  expect({ code, ...json.error }).toMatchObject({ reason: 'unknown' });
  expect(json.error.message).toContain('dir ./data in its configuration counts from where it is started');
  expect(json.error.hint).toContain('write the absolute dir');
});

describe('names that were changed while it ran', () => {
  const config = { 'enable-protected-configs': 'local' };
  async function changed(): Promise<Awaited<ReturnType<typeof prepare>> & { other: string }> {
    const { server, config: agent } = await prepare({ what: '', options: { config } });
    const other = join(dirname(server.dir), 'other');
    mkdirSync(other);
    await server.call('CONFIG', 'SET', 'dir', other);
    await server.call('CONFIG', 'SET', 'dbfilename', 'now.rdb');
    return { server, config: agent, other };
  }

  test('and written to its configuration: restored there', async () => {
    const { server, config: agent, other } = await changed();
    await server.call('CONFIG', 'REWRITE');
    const backedUp = await describeData(server);
    await takeBackup(agent, '--no-verify');
    await server.call('DEL', 'list:long');
    const { json } = await restore(agent, 'files');
    expect(json.set_aside.map(dirname)).toEqual([other]);
    await server.reconnect();
    expect(await describeData(server)).toEqual(backedUp);
    expect(readdirSync(server.dir)).toEqual([]);
  });

  test('and nowhere written: refused by either method, since the next start reads something else', async () => {
    const { server, config: agent, other } = await changed();
    await takeBackup(agent, '--no-verify');
    expect(readdirSync(other)).toEqual(['now.rdb']);
    await server.call('DEL', 'list:long');
    const later = await describeData(server);
    for (const method of ['files', 'live']) {
      const { code, json } = await runAgent(['--json', 'restore', '--yes', '--method', method], {
        config: agent,
      });
      expect({ method, code }).toEqual({ method, code: 7 });
      expect(json.error.message).toContain(`${server.dir}/dump.rdb`);
    }
    expect(await describeData(server)).toEqual(later);
  });
});

/** Commands of an AOF tell less of a stream's consumers than a base does. */
async function settleAof(server: ManagedServer): Promise<void> {
  if (String(await server.call('INFO', 'persistence')).includes('aof_enabled:0')) return;
  await server.call('BGREWRITEAOF');
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')), { interval: 10, timeout: 30_000 })
    .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
}

async function restore(config: TestConfig, method: string, ...args: string[]): ReturnType<typeof runAgent> {
  const result = await runAgent(['--json', 'restore', '--yes', '--method', method, ...args], { config });
  expectOk(result);
  return result;
}
