import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { aofFolder, aofNames, growingFile, rewriteAof, startAofServer } from '../../../support/data/aof.ts';
import { idsIn, runAgent, spawnAgent, takeBackup, writeConfig } from '../../../support/agent/cli.ts';
import { defaultBuild, edgeBuilds, startServer } from '../../../support/servers/redis-server.ts';

const builds = edgeBuilds().map((build) => [build.name, build] as const);

test.each(builds)(
  '%s: what lay there from before the AOF was turned off is not taken for it',
  async (_, build) => {
    const server = await startAofServer(build);
    await server.call('SET', 'before', 'x');
    await rewriteAof(server);
    await server.call('CONFIG', 'SET', 'appendonly', 'no');
    await server.call('DEBUG', 'POPULATE', 150, 'later');
    // The first rewrite takes its time, and until its end the old files are there.
    await server.call('CONFIG', 'SET', 'rdb-key-save-delay', 5000).catch(() => undefined);
    await server.call('CONFIG', 'SET', 'appendonly', 'yes');
    const config = writeConfig({ server });
    const { code, json } = await runAgent(['--json', 'backup', '--kind', 'aof', '--no-verify'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { backup: { keyspace: { databases: { 0: { keys: 151 } }, exact: true } } },
    });
  },
);

test('without an AOF it is refused, with what to do, and nothing is stored', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  const refused = await runAgent(['backup', '--kind', 'aof'], { config });
  expect(refused).toMatchObject({ code: 7, stdout: '' });
  expect(refused.stderr).toMatch(/writes no AOF \(appendonly no\).*CONFIG SET appendonly yes/s);
  expect(idsIn(config)).toEqual([]);
});

test.each(builds)('%s: a damaged AOF is no backup', async (_, build) => {
  const server = await startAofServer(build);
  await server.call('SET', 'a', '1');
  await server.call('SET', 'b', '2');
  const config = writeConfig({ server });
  const file = growingFile(server);
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('$')] = 0x21;
  writeFileSync(file, bytes);
  const failed = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
  expect(failed).toMatchObject({ code: 6, json: { error: { reason: 'corrupt' } } });
  expect(failed.json.error.message).toMatch(/corrupt at byte \d+: expected \$/);
  expect(idsIn(config)).toEqual([]);
});

test('a missing file of the set is named', async () => {
  const server = await startAofServer(defaultBuild());
  const config = writeConfig({ server });
  const [base = ''] = readdirSync(aofFolder(server)).filter((name) => name.includes('.base.'));
  rmSync(join(aofFolder(server), base));
  const failed = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
  expect(failed).toMatchObject({ code: 6, json: { error: { reason: 'missing' } } });
  expect(failed.json.error.message).toContain(base);
});

test('killed in whatever phase: nothing is listed, the AOF is as it was, and the next one clears up', async () => {
  const server = await startAofServer(defaultBuild());
  await server.call('DEBUG', 'POPULATE', 200_000, 'key', 200);
  await rewriteAof(server);
  const config = writeConfig({ server });
  const before = aofNames(server).map((name) => [name, statSync(join(server.dir, name)).size]);
  const scratch = join(config.state, 'scratch');
  const list = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
  const phases: [string, () => boolean][] = [
    ['copying', () => list(scratch).some((name) => name.endsWith('.base.rdb'))],
    ['loading', () => list(scratch).some((name) => name.endsWith('server.pid'))],
    ['storing', () => list(config.repository).some((name) => /aof\.tar\.zst/.test(name))],
  ];
  for (const [phase, reached] of phases) {
    const agent = spawnAgent(['backup', '--kind', 'aof', '--no-verify'], { config });
    const over = agent.ended.then(() => true);
    while (!reached())
      if (await Promise.race([over, delay(1).then(() => false)]))
        throw new Error(`${phase}: ${agent.stderr}`);
    agent.kill('SIGKILL');
    expect({ phase, ...(await agent.ended) }).toMatchObject({ phase, code: -1 });
    const listed = await runAgent(['--json', 'backups', 'list'], { config });
    const states = listed.json.backups.map(({ state }: { state: string }) => state);
    expect(states.filter((state: string) => state !== 'incomplete')).toEqual([]);
    expect(aofNames(server).map((name) => [name, statSync(join(server.dir, name)).size])).toEqual(before);
  }
  const id = await takeBackup(config, '--kind', 'aof');
  expect(idsIn(config)).toEqual([id]);
  expect(list(scratch)).toEqual([]);
  expect(readdirSync(join(config.repository, 'main', id)).filter((name) => name.endsWith('.tmp'))).toEqual(
    [],
  );
});
