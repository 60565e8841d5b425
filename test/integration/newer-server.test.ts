// A server of a line that came after this agent: all that can be done is done with it, and what is not known is said.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../support/agent/cli.ts';
import { hardenerOf } from '../support/harden/hardened.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { manageServer } from '../support/servers/managed-server.ts';
import { newerBuild, newestRedis } from '../support/servers/newer-build.ts';

const line = '9.9';

test('it is brought to a policy as the newest that is known is, and back', async () => {
  const server = await manageServer({ build: newerBuild(line) });
  const newest = await manageServer({ build: newestRedis() });
  const hardener = await hardenerOf(server);
  const plan = await hardener.plan();
  const same = await (await hardenerOf(newest)).plan();
  expect(plan.engine).toMatch(/^redis-9\.9/);
  expect(plan.changes.map(({ directive, to }) => [directive, to])).toEqual(
    same.changes.map(({ directive, to }) => [directive, to]),
  );
  expect(plan.unknown).toEqual([]);
  const before = readFileSync(server.configFile);
  expect((await hardener.apply({ restart: true })).outcome).toBe('done');
  await server.reconnect();
  expect(await server.call('CONFIG', 'GET', 'timeout')).toEqual(['timeout', '300']);
  expect((await hardener.apply()).outcome).toBe('nothing');
  expect((await hardener.rollback()).outcome).toBe('done');
  expect(readFileSync(server.configFile)).toEqual(before);
});

test('a configuration for it has every setting', async () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const out = join(folder, 'out');
  mkdirSync(out);
  const { code, stdout } = await runAgent([
    'harden',
    'render',
    '--policy',
    'queue',
    '--engine',
    `redis-${line}`,
    '--out',
    out,
  ]);
  expect({ code, left: /left out.*/.exec(stdout) }).toEqual({ code: 0, left: null });
  expect(readFileSync(join(out, 'redis.conf'), 'utf8')).toMatch(/^bind 127\.0\.0\.1/m);
});

test('backups of it are taken, proven, rehearsed and restored by both methods', async () => {
  const server = await manageServer({ build: newerBuild(line) });
  await server.call('SET', 'key', 'as backed up');
  const config = writeConfig({ instances: [server.instance] });
  const id = await takeBackup(config);
  const shown = await runAgent(['--json', 'backups', 'show', id], { config });
  expect(shown.json.verifications.at(-1)).toMatchObject({ level: 'loaded', ok: true });
  expect(await runAgent(['drill'], { config })).toMatchObject({ code: 0 });
  for (const method of ['live', 'files']) {
    await server.call('SET', 'key', 'as it is now');
    const restored = await runAgent(['--json', 'restore', id, '--yes', '--method', method], { config });
    expect({ code: restored.code, ...restored.json.error }).toEqual({ code: 0 });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  }
});

test('it is looked at and watched, and no rule fails for its version', async () => {
  const server = await manageServer({ build: newerBuild(line) });
  const config = writeConfig({ instances: [server.instance] });
  const check = await runAgent(['check', '--json'], { config });
  expect(check.json.filter(({ verdict }: { verdict: string }) => verdict === 'failed')).toEqual([]);
  expect((await runAgent(['status'], { config })).stdout).toContain('redis 9.9');
  const { json } = await runAgent(['audit', '--json'], { config });
  expect(json.reports[0].score.coverage).toBeGreaterThan(0.9);
});
