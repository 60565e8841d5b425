import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
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
  },
];

test.for(cases)(
  'with $what: placed, served after another start, and undone',
  async ({ options, instance }) => {
    const server = await manageServer(options);
    const config = writeConfig({});
    const settings = Object.entries({ ...server.instance, ...instance?.(config) });
    config.rewrite({ instances: [Object.fromEntries(settings.filter(([, value]) => value !== undefined))] });
    await fillServer(server);
    await settleAof(server);
    const backedUp = await describeData(server);
    await takeBackup(config, '--no-verify');
    await server.call('DEL', 'list:long');
    await server.call('SET', 'string:raw', 'changed');
    const later = await describeData(server);

    const restored = await restore(config);
    for (const path of restored.json.set_aside) expect(dirname(path)).toBe(restored.json.plan.dir);
    await server.reconnect();
    expect(await describeData(server)).toEqual(backedUp);
    await server.restart();
    expect(await describeData(server)).toEqual(backedUp);
    await restore(config, '--undo');
    await server.reconnect();
    expect(await describeData(server)).toEqual(later);
  },
);

/** Commands of an AOF tell less of a stream's consumers than a base does. */
async function settleAof(server: ManagedServer): Promise<void> {
  if (String(await server.call('INFO', 'persistence')).includes('aof_enabled:0')) return;
  await server.call('BGREWRITEAOF');
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')), { interval: 10, timeout: 30_000 })
    .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  const result = await runAgent(['--json', 'restore', '--yes', '--method', 'files', ...args], { config });
  expectOk(result);
  return result;
}
