import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rewriteAof, startAofServer } from '../../support/data/aof.ts';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData, type DataDescription } from '../../support/data/describe-data.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { defaultBuild, serverBuilds, type ServerBuild } from '../../support/servers/redis-server.ts';

/** A backup of the AOF of such a server, and what it holds; another server is then restored from it. */
async function backedUpFrom(
  build: ServerBuild,
  server: ManagedServer,
): Promise<[TestConfig, id: string, data: DataDescription]> {
  const source = await startAofServer(build);
  await fillServer(source);
  await rewriteAof(source);
  await source.call('SET', 'after the rewrite', 'x');
  const config = writeConfig({ server: source });
  const id = await takeBackup(config, '--kind', 'aof', '--no-verify');
  config.rewrite({ instances: [server.instance] });
  return [config, id, await describeData(source)];
}

/** What XINFO tells of a stream, newer servers tell more of. */
async function digestOf(server: ManagedServer): Promise<string> {
  return (await describeData(server)).digest;
}

const restoreFiles = ['--json', 'restore', '--yes', '--method', 'files'];

const [old] = serverBuilds().filter(({ version }) => Number.parseInt(version, 10) < 7);
const modern = defaultBuild();

test.each([old, modern].flatMap((build) => (build === undefined ? [] : [[build.name, build] as const])))(
  '%s with its AOF off: a scratch server makes a dump of it',
  async (_, build) => {
    const server = await manageServer({ build, config: { appendonly: 'no' } });
    const [config, id, data] = await backedUpFrom(build, server);
    const planned = await runAgent(['--json', 'restore', '--dry-run', '--method', 'files'], { config });
    expect(planned.json.plan.steps.map(({ step }: { step: string }) => step)).toContain('convert');
    const restored = await runAgent(restoreFiles, { config });
    expect(restored).toMatchObject({ code: 0, json: { outcome: 'restored', plan: { backup: id } } });
    await server.reconnect();
    expect(await describeData(server)).toEqual(data);
    await server.restart();
    expect(await describeData(server)).toEqual(data);
  },
);

test.runIf(old)('one file of a server of before 7.0 becomes the base of a newer one', async () => {
  const server = await manageServer({ build: modern, config: { appendonly: 'yes' } });
  const [config, , data] = await backedUpFrom(old!, server);
  expect(await runAgent(restoreFiles, { config })).toMatchObject({ code: 0 });
  await server.reconnect();
  expect(await digestOf(server)).toBe(data.digest);
  await server.restart();
  await rewriteAof(server);
  await server.restart();
  expect(await digestOf(server)).toBe(data.digest);
});

test.runIf(old)('a set is refused for a server of before 7.0, and nothing is touched', async () => {
  const server = await manageServer({ build: old!, config: { appendonly: 'yes' } });
  await server.call('SET', 'stays', 'x');
  const [config] = await backedUpFrom(modern, server);
  const before = readdirSync(server.dir).toSorted();
  const refused = await runAgent(restoreFiles, { config });
  expect(refused).toMatchObject({ code: 7, json: { error: { reason: 'multi-part' } } });
  expect(await server.call('GET', 'stays')).toBe('x');
  expect(readdirSync(server.dir).toSorted()).toEqual(before);
});

test('files are named as that server names them, and an old folder of it is set aside', async () => {
  const names7 = { appendonly: 'yes', appendfilename: 'other.aof', appenddirname: 'elsewhere' };
  const server = await manageServer({ build: modern, config: names7 });
  await server.call('SET', 'what lay there', 'x');
  const [config, , data] = await backedUpFrom(modern, server);
  const restored = await runAgent(restoreFiles, { config });
  expect(restored.code).toBe(0);
  await server.reconnect();
  expect(await describeData(server)).toEqual(data);
  const names = readdirSync(join(server.dir, 'elsewhere'));
  expect(names.every((name) => name.startsWith('other.aof.'))).toBe(true);
  expect(restored.json.set_aside).toContainEqual(expect.stringContaining('/elsewhere.before-restore-'));
  await server.restart();
  expect(await describeData(server)).toEqual(data);
});
