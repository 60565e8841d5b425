import { appendFileSync, truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import { growingFile, rewriteAof, startAofServer } from '../../../support/data/aof.ts';
import { runAgent, writeConfig, type AgentResult } from '../../../support/agent/cli.ts';
import { defaultBuild, edgeBuilds, type TestServer } from '../../../support/servers/redis-server.ts';
import { resp } from '../../../support/data/resp.ts';

const builds = edgeBuilds().map((build) => [build.name, build] as const);

async function backUp(server: TestServer): Promise<AgentResult> {
  return await runAgent(['--json', 'backup', '--kind', 'aof'], { config: writeConfig({ server }) });
}

test.each(builds)('%s: commands alone, without an RDB at their start', async (_, build) => {
  const modern = Number.parseInt(build.version, 10) >= 7;
  const server = await startAofServer(build, {
    'aof-use-rdb-preamble': 'no',
    ...(modern ? { 'aof-timestamp-enabled': 'yes' } : {}),
  });
  await server.call('RPUSH', 'list', 'a', 'b\r\n#TS:1\r\n');
  await rewriteAof(server);
  await server.call('SET', 'after', 'x');
  const { code, json } = await backUp(server);
  expect({ code, json }).toMatchObject({
    code: 0,
    json: {
      backup: { rdb_version: 0, keyspace: { exact: true, databases: { 0: { keys: 2 } } } },
      verification: { verdict: 'ok', level: 'loaded' },
    },
  });
  const types = json.backup.aof.files.map(({ type }: { type: string }) => type);
  expect(types).toEqual(modern ? ['base', 'incr'] : ['single']);
});

test.each(builds)('%s: an empty server', async (_, build) => {
  const server = await startAofServer(build);
  const { code, json } = await backUp(server);
  expect({ code, json }).toMatchObject({
    code: 0,
    json: { backup: { keyspace: { databases: {}, exact: true } }, verification: { level: 'loaded' } },
  });
  const checked = await runAgent(['--json', 'aof', 'check', '--deep'], { config: writeConfig({ server }) });
  expect(checked).toMatchObject({ code: 0, json: { verdict: 'ok', load: { keys: 0 } } });
});

test('an open transaction is no backup: a start would cut off everything behind it', async () => {
  const server = await startAofServer(defaultBuild());
  await server.call('SET', 'key', 'value');
  appendFileSync(growingFile(server), resp(['MULTI'], ['SET', 'a', '1']));
  await server.call('SET', 'behind it', 'x');
  const { code, json } = await backUp(server);
  expect({ code, json }).toMatchObject({ code: 6, json: { error: { reason: 'torn' } } });
  expect(json.error.hint).toContain('BGREWRITEAOF');
  await rewriteAof(server);
  expect(await backUp(server)).toMatchObject({ code: 0 });
});

test('commands that only this server has: stored, and said that nobody else could load it', async () => {
  const server = await startAofServer(defaultBuild());
  await server.call('SET', 'key', 'value');
  appendFileSync(growingFile(server), resp(['SOME.MODULE', 'x']));
  const config = writeConfig({ server });
  const { code, json } = await runAgent(['--json', 'backup', '--kind', 'aof', '--no-verify'], { config });
  expect({ code, json }).toMatchObject({
    code: 0,
    json: { backup: { keyspace: { exact: false, databases: { 0: { keys: 1 } } } } },
  });
  expect(json.backup.verified.summary).toMatch(/not loaded \(.*unknown command 'SOME\.MODULE'/i);
});

const [old] = edgeBuilds().filter(({ version }) => Number.parseInt(version, 10) < 7);

test.runIf(old)('a file that somebody has emptied is no empty server', async () => {
  const server = await startAofServer(old!);
  await server.call('SET', 'key', 'value');
  truncateSync(growingFile(server), 0);
  expect(await backUp(server)).toMatchObject({ code: 6, json: { error: { reason: 'corrupt' } } });
  const config = writeConfig({ server });
  const checked = await runAgent(['--json', 'aof', 'check', '--quick'], { config });
  expect(checked).toMatchObject({ code: 6, json: { verdict: 'corrupt' } });
});
