import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { makeCertificates } from '../../support/servers/certificates.ts';
import { startServer, type ServerOptions, type TestServer } from '../../support/servers/redis-server.ts';

const password = 'a-password-of-a-target';

interface Scene {
  source: TestServer;
  config: TestConfig;
}

async function scene(): Promise<Scene> {
  const source = await startServer();
  await fillServer(source, { large: 2 ** 21 });
  await source.call('SAVE');
  return { source, config: writeConfig({ server: source }) };
}

async function restore(
  { source, config }: Scene,
  into: string,
  options: { args?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<AgentResult> {
  const args = ['restore', source.dumpPath, '--keys', '*', '--yes', '--json', '--into', into];
  return await runAgent([...args, ...(options.args ?? [])], { config, env: options.env ?? {} });
}

async function hasAll({ source }: Scene, target: TestServer): Promise<void> {
  expect((await describeData(target)).digest).toBe((await describeData(source)).digest);
}

describe('a way to the target', () => {
  test('a socket', async () => {
    const all = await scene();
    const target = await startServer();
    expect((await restore(all, target.socketUrl)).code).toBe(0);
    await hasAll(all, target);
  });

  test('TLS, with the authority that signed it and with no other', async () => {
    const all = await scene();
    const target = await startServer({ tls: true, config: { requirepass: password } });
    const { url = '', ca = '' } = target.tls ?? {};
    const file = all.config.secret('target', password).file;
    const args = ['--password-file', file, '--ca-file'];
    const other = makeCertificates(all.config.folder);
    expect(await restore(all, url, { args: [...args, other.ca] })).toMatchObject({
      code: 4,
      json: { error: { reason: 'tls', hint: expect.stringContaining('--ca-file') } },
    });
    expect((await restore(all, url, { args: [...args, ca] })).code).toBe(0);
    await hasAll(all, target);
  });

  test('a URL with its password in a variable or a file', async () => {
    const all = await scene();
    const target = await startServer({ config: { requirepass: password } });
    const url = `redis://:${password}@127.0.0.1:${target.port}`;
    const { file } = all.config.secret('url', url);
    expect((await restore(all, 'env:NEW_URL', { env: { NEW_URL: url } })).code).toBe(0);
    await hasAll(all, target);
    expect((await restore(all, `file:${file}`, { args: ['--replace'] })).code).toBe(0);
  });

  test('an instance of the configuration', async () => {
    const all = await scene();
    const target = await startServer({ config: { requirepass: password } });
    all.config.rewrite({
      instances: [
        { name: 'main', url: all.source.url },
        { name: 'other', url: target.url, password: all.config.secret('other', password) },
      ],
    });
    expect((await restore(all, 'other')).code).toBe(0);
    await hasAll(all, target);
  });

  test('without any configuration', async () => {
    const { source } = await scene();
    const target = await startServer();
    const { code } = await runAgent([
      'restore',
      source.dumpPath,
      '--keys',
      '*',
      '--into',
      target.url,
      '--yes',
    ]);
    expect(code).toBe(0);
  });
});

describe('another source', () => {
  test('standard input, with the marker that redis-cli leaves behind a dump', async () => {
    const all = await scene();
    const target = await startServer();
    const { cli } = all.source.build;
    const input = execFileSync(cli, ['-p', String(all.source.port), '--rdb', '-'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 26,
    });
    const args = ['restore', '-', '--keys', '*', '--into', target.url, '--yes', '--json'];
    expect(await runAgent(args, { input })).toMatchObject({ code: 0, json: { plan: { survey: null } } });
    await hasAll(all, target);
    // What is read once cannot be looked at before, so it stops at the first key that is there.
    expect(await runAgent(args, { input })).toMatchObject({ code: 7, json: { error: { reason: 'exists' } } });
    expect((await runAgent(args, { input: input.subarray(0, 5000) })).code).toBe(6);
  });

  test('an encrypted backup', async () => {
    const { generateIdentity, identityToRecipient } = await import('age-encryption');
    const identity = await generateIdentity();
    const all = await scene();
    all.config.rewrite({
      server: all.source,
      encryption: { recipients: [await identityToRecipient(identity)], identity },
    });
    const id = await takeBackup(all.config, '--no-verify', '--no-prune');
    const target = await startServer();
    const { code } = await runAgent(['restore', id, '--keys', '*', '--into', target.url, '--yes'], all);
    expect(code).toBe(0);
    await hasAll(all, target);
  });
});

describe('a target that cannot take it', () => {
  const refused = async (options: ServerOptions, ...commands: string[][]): Promise<AgentResult> => {
    const all = await scene();
    const target = await startServer(options);
    for (const [name = '', ...args] of commands) await target.call(name, ...args);
    const result = await restore(all, target.url);
    if (options.config?.['cluster-enabled'] !== 'yes') expect(await target.call('DBSIZE')).toBe(0);
    return result;
  };

  test('a replica', async () => {
    expect(await refused({}, ['REPLICAOF', '127.0.0.1', '1'])).toMatchObject({
      code: 7,
      json: { error: { reason: 'replica', hint: expect.stringContaining('master') } },
    });
  });

  test('a node of a cluster that has not all slots', async () => {
    expect(await refused({ config: { 'cluster-enabled': 'yes' } })).toMatchObject({
      code: 7,
      json: { error: { reason: 'cluster', hint: expect.stringContaining('--cluster check') } },
    });
  });

  test('one whose user may do nothing', async () => {
    const all = await scene();
    const target = await startServer();
    await target.call('ACL', 'SETUSER', 'reader', 'on', `>${password}`, '~*', '+info', '+@read');
    const { file } = all.config.secret('reader', password);
    const result = await restore(all, target.url, {
      args: ['--username', 'reader', '--password-file', file],
    });
    expect(result).toMatchObject({
      code: 4,
      json: { error: { reason: 'noperm', hint: expect.stringContaining('ACL SETUSER reader +restore') } },
    });
    expect(await target.call('DBSIZE')).toBe(0);
  });

  test('one whose user may only write some keys: the others are named', async () => {
    const all = await scene();
    const target = await startServer();
    const rights = ['~user:*', '+info', '+select', '+restore'];
    await target.call('ACL', 'SETUSER', 'some', 'on', `>${password}`, ...rights);
    const { file } = all.config.secret('some', password);
    const { code, json } = await restore(all, target.url, {
      args: ['--username', 'some', '--password-file', file],
    });
    expect([code, json.result.written]).toEqual([1, 300]);
    expect(json.result.failed).toEqual([
      { reason: expect.stringContaining('NOPERM'), keys: expect.any(Number), examples: expect.any(Array) },
    ]);
  });

  test('one whose last save failed, so that it takes no writes', async () => {
    const all = await scene();
    const target = await startServer({ config: { save: '3600 1', dbfilename: 'taken.rdb' } });
    mkdirSync(join(target.dir, 'taken.rdb', 'in-the-way'), { recursive: true });
    await target.call('SET', 'a', 1);
    await target.call('BGSAVE');
    while (!String(await target.call('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'));
    expect(await restore(all, target.url)).toMatchObject({
      code: 4,
      json: {
        error: { reason: 'misconf', message: expect.stringContaining('refuses to be written to: MISCONF') },
      },
    });
  });

  test('wrong passwords and wrong addresses', async () => {
    const all = await scene();
    const target = await startServer({ config: { requirepass: password } });
    const { file } = all.config.secret('wrong', 'a-wrong-word');
    expect(await restore(all, target.url, { args: ['--password-file', file] })).toMatchObject({
      code: 4,
      json: { error: { reason: 'wrongpass', hint: expect.stringContaining('--username') } },
    });
    expect(await restore(all, 'redis://127.0.0.1:1')).toMatchObject({
      code: 4,
      json: { error: { reason: 'refused' } },
    });
  });
});

test('a target that is full says so, keeps what it took, and the same command goes on when there is room', async () => {
  const all = await scene();
  const target = await startServer({ config: { 'maxmemory-policy': 'noeviction' } });
  const used = Number(/used_memory:(\d+)/.exec(String(await target.call('INFO', 'memory')))?.[1]);
  await target.call('CONFIG', 'SET', 'maxmemory', used + 1_500_000);
  const plan = await restore(all, target.url, { args: ['--dry-run'] });
  expect(plan.json.plan.warnings.join()).toContain('it will refuse the last of them');
  const full = await restore(all, target.url);
  expect([full.code, full.json.error]).toMatchObject([
    4,
    {
      reason: 'oom',
      message: expect.stringMatching(/\d+ keys were written before/),
      hint: expect.stringMatching(/maxmemory.*the same command goes on/),
    },
  ]);
  await target.call('CONFIG', 'SET', 'maxmemory', 0);
  const rest = await restore(all, target.url);
  expect([rest.code, rest.json.result.failed]).toEqual([0, []]);
  await hasAll(all, target);
});
