// What becomes of times to live: keys that have expired are said the same by every method, and may be had after all.
import { expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { movingClock } from '../../support/clocks/moving-clock.ts';
import { hasFieldExpiry } from '../../support/data/data-set.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

const hour = 3_600_000;

interface Scene {
  config: TestConfig;
  id: string;
  target: TestServer;
  restore: (...args: string[]) => Promise<AgentResult>;
}

/** Keys whose time is over when they are restored: for the agent a day has gone since the backup. */
async function scene(build: ReturnType<typeof edgeBuilds>[number]): Promise<Scene> {
  const source = await startServer({ build });
  const target = await startServer({ build });
  await source.call('SET', 'lasting', 'x');
  await source.call('SET', 'hour', 'x', 'PX', hour);
  await source.call('RPUSH', 'list', 'a', 'b');
  await source.call('PEXPIRE', 'list', 2 * hour);
  if (hasFieldExpiry(build)) {
    await source.call('HSET', 'hash', 'gone', '1', 'stays', '2');
    await source.call('HPEXPIRE', 'hash', 3 * hour, 'FIELDS', 1, 'gone');
  }
  const config = writeConfig({ server: source });
  const id = await takeBackup(config, '--no-verify', '--no-prune');
  const clock = movingClock();
  clock.forward(24 * hour);
  const restore = async (...args: string[]): Promise<AgentResult> =>
    await runAgent(['restore', id, '--keys', '*', '--into', target.url, '--yes', '--json', ...args], {
      config,
      clock,
    });
  return { config, id, target, restore };
}

async function ttl(server: TestServer, key: string): Promise<number> {
  return Number(await server.call('PTTL', key));
}

test.each(edgeBuilds())('$name: left out, as long as at the backup, or none', async (build) => {
  const { target, restore } = await scene(build);
  const fields = hasFieldExpiry(build);
  const kept = await restore();
  expect(kept.json.result).toMatchObject({ written: fields ? 2 : 1, expired: 2 });
  await target.call('FLUSHALL');

  const dropped = await restore('--ttl', 'drop');
  expect(dropped.json).toMatchObject({
    plan: { ttl: 'drop' },
    result: { written: fields ? 4 : 3, expired: 0 },
  });
  for (const key of ['lasting', 'hour', 'list']) expect(await ttl(target, key)).toBe(-1);
  expect(await target.call('LRANGE', 'list', 0, -1)).toEqual(['a', 'b']);
  // Versions before that have no hash.
  const none = fields ? await target.call('HPTTL', 'hash', 'FIELDS', 2, 'gone', 'stays') : [-1, -1];
  expect(none).toEqual([-1, -1]);
  await target.call('FLUSHALL');

  const shifted = await restore('--ttl', 'shift');
  expect(shifted.json.result).toMatchObject({ written: fields ? 4 : 3, expired: 0, failed: [] });
  expect(await ttl(target, 'lasting')).toBe(-1);
  // The target lives today, a day before the agent; a minute for what has gone by.
  for (const [key, of] of [
    ['hour', 1],
    ['list', 2],
  ] as const) {
    const left = (await ttl(target, key)) - 24 * hour;
    expect(left).toBeLessThanOrEqual(of * hour + 60_000);
    expect(left).toBeGreaterThan(of * hour - 60_000);
  }
  if (!fields) return;
  const reply = await target.call('HPTTL', 'hash', 'FIELDS', 2, 'gone', 'stays');
  const [gone, stays] = Array.isArray(reply) ? reply.map(Number) : [];
  expect(stays).toBe(-1);
  expect((gone ?? 0) - 24 * hour).toBeGreaterThan(3 * hour - 60_000);
});

test('a dump that lies somewhere says itself when it was made', async () => {
  const [build] = edgeBuilds();
  if (build === undefined) throw new Error('no server');
  const source = await startServer({ build });
  const target = await startServer({ build });
  await source.call('SET', 'hour', 'x', 'PX', hour);
  await source.call('SAVE');
  const config = writeConfig({ server: source });
  const dump = join(config.folder, 'some.rdb');
  copyFileSync(source.dumpPath, dump);
  const clock = movingClock();
  clock.forward(24 * hour);
  const args = ['restore', dump, '--keys', '*', '--into', target.url, '--yes', '--json', '--ttl', 'shift'];
  expect((await runAgent(args, { config, clock })).json.result).toMatchObject({ written: 1 });
  expect(await ttl(target, 'hour')).toBeGreaterThan(24 * hour);
});

test.each(['live', 'files'])('by %s it is said how many had expired', async (method) => {
  const server = await manageServer();
  await server.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
  for (let key = 0; key < 5; key++) await server.call('SET', `lasting:${key}`, 'x');
  for (let key = 0; key < 20; key++) await server.call('SET', `overdue:${key}`, 'x', 'PX', 1);
  const config = writeConfig({ instances: [server.instance] });
  const id = await takeBackup(config);
  const { code, stdout, stderr } = await runAgent(['restore', id, '--method', method, '--yes'], { config });
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('5 keys loaded, 20 had expired');
  await server.reconnect().catch(() => {});
});
