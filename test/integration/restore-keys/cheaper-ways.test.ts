import { expect, test } from 'vitest';
import { runAgent, writeConfig, type AgentResult } from '../../support/agent/cli.ts';
import { findBuild, startServer, type TestServer } from '../../support/servers/redis-server.ts';

const expiry = 4_102_444_800_123;

/** Values of some 400 kB: a string with an expiry and one without, and of each type one of long elements; one of short. */
async function makeLarge(): Promise<TestServer> {
  const source = await startServer({ config: { rdbcompression: 'no' } });
  const script = `
    local noise = redis.sha1hex('a')
    while #noise < 1000 do noise = noise .. redis.sha1hex(noise) end
    for part = 1, 400 do
      local value = part .. noise
      redis.call('APPEND', 'string', value)
      redis.call('APPEND', 'string:expiring', value)
      redis.call('HSET', 'hash', 'field ' .. part, value)
      redis.call('RPUSH', 'list', value, value)
      redis.call('SADD', 'set', value)
      redis.call('ZADD', 'zset', part / 3, value)
    end
    for part = 1, 20000 do redis.call('HSET', 'short', 'field ' .. part, redis.sha1hex(part)) end
    redis.call('PEXPIREAT', 'string:expiring', ARGV[1])
    redis.call('PEXPIREAT', 'list', ARGV[1])`;
  await source.call('SELECT', 3);
  await source.call('EVAL', script, 0, expiry);
  await source.call('SAVE');
  return source;
}

async function restore(source: TestServer, target: TestServer, ...args: string[]): Promise<AgentResult> {
  const words = ['restore', source.dumpPath, '--keys', '*', '--into', target.url, '--yes', '--json', ...args];
  return await runAgent(words, { config: writeConfig({ server: source }) });
}

async function digest(server: TestServer): Promise<unknown[]> {
  await server.call('SELECT', 3);
  return [
    await server.call('DEBUG', 'DIGEST'),
    await server.call('DBSIZE'),
    await server.call('PTTL', 'string'),
  ];
}

async function calls(server: TestServer, command: string): Promise<number> {
  const info = String(await server.call('INFO', 'commandstats'));
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

/** RESTORE is tried once when the plan is made, and once before writing. */
const probes = 2;

test('large strings go by SET and long elements by their own commands, and arrive the same', async () => {
  const source = await makeLarge();
  const target = await startServer();
  const { code, json } = await restore(source, target);
  expect([code, json.result]).toMatchObject([0, { written: 7, failed: [] }]);
  expect(await digest(target)).toEqual(await digest(source));
  for (const key of ['string:expiring', 'list']) expect(await target.call('PEXPIRETIME', key)).toBe(expiry);
  expect([await calls(target, 'set'), await calls(target, 'restore')]).toEqual([2, probes + 1]);
});

test.each([
  ['SET', ['-set']],
  ['the commands of a type', ['-hset']],
  ['transactions', ['-multi']],
])('where %s are not allowed, they go by RESTORE', async (_what, rights) => {
  const source = await makeLarge();
  const target = await startServer();
  await target.call('ACL', 'SETUSER', 'default', ...rights);
  const { code, json } = await restore(source, target);
  expect([code, json.result]).toMatchObject([0, { written: 7, failed: [] }]);
  expect([await digest(target), await calls(target, 'restore')]).toEqual([await digest(source), probes + 7]);
});

test('a server without SET PXAT gets strings that expire by RESTORE', async ({ skip }) => {
  const build = findBuild('redis', '6.0');
  skip(build === undefined, 'no Redis 6.0 here');
  const source = await startServer({ ...(build && { build }), config: { rdbcompression: 'no' } });
  await source.call('SET', 'string', 'x'.repeat(300_000));
  await source.call('SET', 'string:expiring', 'y'.repeat(300_000), 'PX', 1_000_000_000);
  await source.call('SAVE');
  const target = await startServer(build && { build });
  const { code, json } = await restore(source, target);
  expect([code, json.result]).toMatchObject([0, { written: 2, failed: [] }]);
  expect([await calls(target, 'set'), await calls(target, 'restore')]).toEqual([1, probes + 1]);
  expect(await target.call('DEBUG', 'DIGEST')).toBe(await source.call('DEBUG', 'DIGEST'));
  expect(await target.call('PTTL', 'string:expiring')).toBeGreaterThan(900_000_000);
});

test('those that are there are left, or overwritten', async () => {
  const source = await makeLarge();
  const target = await startServer();
  await target.call('SELECT', 3);
  await target.call('SET', 'string', 'mine', 'EX', 1000);
  await target.call('SET', 'hash', 'mine');
  const stopped = await restore(source, target);
  expect([stopped.code, await target.call('DBSIZE')]).toEqual([7, 2]);
  const skipped = await restore(source, target, '--skip-existing');
  expect([skipped.code, skipped.json.result]).toMatchObject([0, { written: 5, existing: 2, failed: [] }]);
  expect([await target.call('GET', 'string'), await target.call('GET', 'hash')]).toEqual(['mine', 'mine']);
  const replaced = await restore(source, target, '--replace');
  expect([replaced.code, replaced.json.result]).toMatchObject([0, { written: 7, existing: 0, failed: [] }]);
  expect(await digest(target)).toEqual(await digest(source));
});
