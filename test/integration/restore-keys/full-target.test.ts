import { expect, test } from 'vitest';
import { runAgent, type AgentResult } from '../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const MiB = 1024 * 1024;

/** Restores all that `script` makes into a server that has 13 MiB left and evicts by `policy`. */
async function intoFull(script: string, policy: string): Promise<{ run: AgentResult; target: TestServer }> {
  const source = await startServer({ config: { rdbcompression: 'no' } });
  await source.call('EVAL', script, 0);
  await source.call('SAVE');
  const target = await startServer({ config: { 'maxmemory-policy': policy } });
  const used = Number(/used_memory:(\d+)/.exec(String(await target.call('INFO', 'memory')))?.[1]);
  await target.call('CONFIG', 'SET', 'maxmemory', used + 13 * MiB);
  const args = ['restore', source.dumpPath, '--keys', '*', '--into', target.url, '--yes', '--json'];
  return { run: await runAgent(args), target };
}

const strings = `
  local noise = redis.sha1hex('a')
  while #noise < 20000 do noise = noise .. redis.sha1hex(noise) end`;

test.each(['volatile-ttl', 'volatile-lru', 'allkeys-random'])(
  'half of a value, which a server (%s) has evicted while it was built, is not published',
  async (policy) => {
    const { run, target } = await intoFull(
      `${strings} for part = 1, 1000 do redis.call('RPUSH', 'list', part .. noise) end`,
      policy,
    );
    expect([run.code, run.json.result]).toMatchObject([
      1,
      { written: 0, failed: [{ reason: expect.stringContaining('vanished'), examples: ['list'] }] },
    ]);
    expect(await target.call('KEYS', '*')).toEqual([]);
  },
);

test('keys that a server evicts once they are written are told of, and it is no success', async () => {
  const script = `${strings} for key = 1, 1000 do redis.call('SET', 'key:' .. key, key .. noise) end`;
  const { run, target } = await intoFull(script, 'allkeys-lru');
  expect([run.code, run.json.result]).toMatchObject([1, { written: 1000, failed: [] }]);
  expect(run.json.result.evicted).toBe(1000 - Number(await target.call('DBSIZE')));
  expect(run.json.result.evicted).toBeGreaterThan(100);
});

test('a full server that evicts nothing is not left with half of a value', async () => {
  const list = `${strings} for part = 1, 1000 do redis.call('RPUSH', 'list', part .. noise) end`;
  const { run, target } = await intoFull(list, 'noeviction');
  expect([run.code, run.json.error.reason]).toEqual([4, 'oom']);
  expect(await target.call('KEYS', '*')).toEqual([]);
});
