import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, takeBackup } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { prepareIn, restoreIn, type Surroundings } from '../../support/agent/surroundings.ts';
import { sampled } from '../../support/house/tier.ts';

const secret = 'only-for-this-server-51c2';

const cases: Surroundings[] = [
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
    aof: true,
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
  { what: 'a unix socket and no port', options: { socket: true, config: { appendonly: 'yes' } }, aof: true },
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
  const { server, config } = await prepareIn(one);
  const backedUp = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.call('DEL', 'list:long');
  await server.call('SET', 'string:raw', 'changed');
  const later = await describeData(server);

  const restored = await restoreIn(config, 'files');
  expect(restored.json.plan.notes.join()).not.toContain('configuration');
  for (const path of restored.json.set_aside) expect(dirname(path)).toBe(restored.json.plan.dir);
  await server.reconnect();
  expect(await describeData(server)).toEqual(backedUp);
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);
  await restoreIn(config, 'files', '--undo');
  await server.reconnect();
  expect(await describeData(server)).toEqual(later);
});

test.for(
  sampled(
    cases.filter(({ leastRights }) => leastRights !== true),
    3,
  ),
)('with $what: live', async (one) => {
  const { server, config } = await prepareIn(one);
  const backedUp = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.call('DEL', 'list:long');
  await server.call('SET', 'string:raw', 'changed');
  await restoreIn(config, 'live');
  expect(await describeData(server)).toEqual(backedUp);
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);
});

test.for(cases.filter(({ aof }) => aof === true))('with $what: a backup of the AOF', async (one) => {
  const { server, config } = await prepareIn(one);
  const backedUp = await describeData(server);
  await takeBackup(config, '--kind', 'aof');
  await server.call('DEL', 'list:long');
  await restoreIn(config, 'files');
  await server.reconnect();
  expect(await describeData(server)).toEqual(backedUp);
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);
});

test('as a user of least rights, live: says which rights are missing, and these are enough', async () => {
  const [one] = cases.filter(({ leastRights }) => leastRights === true);
  if (one === undefined) throw new Error('there is one');
  const { server, config } = await prepareIn(one);
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
  await restoreIn(config, 'live');
  expect(await describeData(server)).toEqual(before);
  expect(await server.call('ACL', 'LOG')).toEqual([]);
});
