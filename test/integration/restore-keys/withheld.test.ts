import { expect, test } from 'vitest';
import { runAgent, writeConfig, type AgentResult } from '../../support/agent/cli.ts';
import { startServer, type ServerOptions, type TestServer } from '../../support/servers/redis-server.ts';

const password = 'a-password-of-a-user';

/** A few keys in two databases, one with a long name of odd bytes. */
async function makeSource(): Promise<TestServer> {
  const source = await startServer();
  await source.call('EVAL', `for key = 1, 20 do redis.call('RPUSH', 'key:' .. key, key) end`, 0);
  await source.call('EVAL', String.raw`redis.call('SET', '\255\27[31m' .. string.rep('x', 9000), 1)`, 0);
  await source.call('SELECT', 3);
  await source.call('SET', 'third', 1);
  await source.call('SAVE');
  return source;
}

interface Options {
  server?: ServerOptions;
  there?: string[];
  keys?: string;
  args?: string[];
}

/** Restores all of it as a user with these rights, into a server with `there` in it. */
async function restoreAs(
  rights: string[],
  { server = {}, there = [], keys = '*', args = [] }: Options = {},
): Promise<{ run: AgentResult; target: TestServer }> {
  const source = await makeSource();
  const target = await startServer(server);
  for (const key of there) await target.call('SET', key, 'mine');
  await target.call('ACL', 'SETUSER', 'user', 'on', `>${password}`, '~*', ...rights);
  const { file } = writeConfig({ server: target }).secret('user', password);
  const who = ['--into', target.url, '--username', 'user', '--password-file', file];
  const run = await runAgent([
    'restore',
    source.dumpPath,
    '--keys',
    keys,
    '--json',
    '--yes',
    ...who,
    ...args,
  ]);
  return { run, target };
}

test('who may not SELECT is told so, and not that the server has too few databases', async () => {
  const { run } = await restoreAs(['+@all', '-select']);
  expect([run.code, run.json.result]).toMatchObject([
    1,
    { written: 21, failed: [{ reason: expect.stringMatching(/SELECT is refused: NOPERM/), keys: 1 }] },
  ]);
});

test.each([
  ['a user who lacks them', ['+@all', '-restore', '-renamenx', '-unlink'], {}],
  [
    'a server that has renamed them',
    ['+@all'],
    { config: { 'rename-command': ['RESTORE ""', 'RENAMENX ""', 'UNLINK ""'] } },
  ],
])('%s: without RESTORE and what values are built with, nothing is begun', async (_who, rights, server) => {
  const { run, target } = await restoreAs(rights, { server });
  expect([run.code, run.json.error]).toMatchObject([
    4,
    { reason: 'noperm', message: expect.stringMatching(/RESTORE.*UNLINK, RENAMENX/) },
  ]);
  expect(await target.call('KEYS', '*')).toEqual([]);
});

test('refusals of many keys are one reason; of a long name its beginning is shown, its bytes as they are', async () => {
  const { run } = await restoreAs(['resetkeys', '~nothing', '+@all', '-restore']);
  expect([run.code, run.json.result.written, run.json.result.failed]).toMatchObject([
    1,
    0,
    [{ reason: expect.stringMatching(/^refused: NOPERM/), keys: 22 }],
  ]);
  const { run: odd } = await restoreAs(['resetkeys', '~nothing', '+@all'], { keys: '?[^a-z]*' });
  const examples: string[] = odd.json.result.failed.flatMap(
    ({ examples: each }: { examples: string[] }) => each,
  );
  expect(examples.find((key) => key.startsWith(String.raw`\xff`))).toMatch(/^\\xff\\x1b\[31mx{50,64}…$/);
});

test('who may not ask which keys are there is told that nobody knows', async () => {
  const { run } = await restoreAs(['+@all', '-exists'], { there: ['key:7'], args: ['--dry-run'] });
  expect([run.code, run.json.plan.survey]).toMatchObject([
    0,
    { keys: 22, existing: 0, existing_unknown: [{ keys: 22, reason: expect.stringContaining('NOPERM') }] },
  ]);
  expect(run.json.plan.warnings.join()).toContain('does not say whether it has them already');
});
