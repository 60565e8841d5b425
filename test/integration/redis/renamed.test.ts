// A server whose administrator has renamed commands (rename-command CONFIG …): every way in which the agent talks to it.
import { expect, test } from 'vitest';
import { idsIn, runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds, startServer } from '../../support/servers/redis-server.ts';

const renamed: Record<string, string> = {
  CONFIG: 'CONFIG_9f2a',
  bgsave: 'a-save-in-the-background',
  INFO: 'i',
  SHUTDOWN: 'stop-it',
  REPLICAOF:
    'FOLLOW_a-very-long-name-such-as-a-generated-one-may-be-b840fc02d524045429941cc15f59e41cb7be6c52',
  ACL: 'ACL_1',
  SLOWLOG: 'SLOWLOG_1',
  DBSIZE: 'DBSIZE_1',
  RESTORE: 'RESTORE_7f0e_and-more-than-the-eighty-bytes-that-a-short-word-would-ever-take-in-the-protocol',
  SELECT: 'SELECT_1',
  SET: 'SET_1',
  DEL: 'DEL_1',
};
const directives = Object.entries(renamed).map(([command, name]) => `${command} ${name}`);

test.each(edgeBuilds())('$name: renamed commands are used by their names', async (build) => {
  const server = await startServer({ build, config: { 'rename-command': directives } });
  await server.call('SET_1', 'key', 'value');
  await server.call('HSET', 'hash', 'field', 'value');
  const config = writeConfig({ instances: [{ name: 'main', url: server.url, renamed }] });
  const checked = await runAgent(['--json', 'check'], { config });
  const lines: { what: string; verdict: string }[] = checked.json;
  expect(lines.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  expect(lines.find(({ what }) => what === 'rights to watch')?.verdict).toBe('ok');
  const id = await takeBackup(config);
  expect(idsIn(config)).toEqual([id]);
  const status = await runAgent(['status', '--json'], { config });
  expect(status.json).toMatchObject([{ server: { version: build.version } }]);
  expect((await runAgent(['memory'], { config })).code).toBe(0);

  // Keys into it, as an instance of the configuration.
  await server.call('DEL_1', 'key', 'hash');
  const into = ['restore', id, '--keys', '*', '--into', 'main', '--yes', '--json'];
  expect(await runAgent(into, { config })).toMatchObject({ code: 0 });
  expect(await server.call('GET', 'key')).toBe('value');
  expect(await server.call('HGET', 'hash', 'field')).toBe('value');
});

test('a name that the server does not know: said by the command’s own name, and where to look', async () => {
  const server = await startServer({ config: { 'rename-command': 'CONFIG CONFIG_9f2a' } });
  const config = writeConfig({
    instances: [{ name: 'main', url: server.url, renamed: { CONFIG: 'CONFIG_other' } }],
  });
  const { code, stderr } = await runAgent(['backup'], { config });
  expect({ code, stderr }).toEqual({
    code: 4,
    stderr: expect.stringMatching(
      /^redis-agent: instance main: CONFIG GET.*: the server does not know this command; .*renamed.*\n$/,
    ),
  });
  expect(stderr).not.toMatch(/CONFIG_/);
});

test.each(['live', 'files'])('restored by %s', async (method) => {
  // Whoever starts the server in a test asks for INFO.
  const { INFO: _, ...others } = renamed;
  const names = Object.entries(others).map(([command, name]) => `${command} ${name}`);
  const server = await manageServer({ config: { 'rename-command': names } });
  await server.call('SET_1', 'key', 'value');
  const config = writeConfig({ instances: [{ ...server.instance, renamed: others }] });
  const id = await takeBackup(config);
  await server.call('DEL_1', 'key');
  const { code, stdout, stderr } = await runAgent(['restore', id, '--method', method, '--yes'], { config });
  expect(code, stdout + stderr).toBe(0);
  await server.reconnect().catch(() => {});
  expect(await server.call('GET', 'key')).toBe('value');
});
