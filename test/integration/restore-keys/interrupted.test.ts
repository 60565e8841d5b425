import { afterEach, expect, test } from 'vitest';
import {
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { startCuttingProxy, type CuttingProxy } from '../../support/servers/cutting-proxy.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const proxies: CuttingProxy[] = [];
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]();
});

interface Scene {
  source: TestServer;
  target: TestServer;
  proxy: CuttingProxy;
  config: TestConfig;
  keys: number;
  args: string[];
  run: (...more: string[]) => Promise<AgentResult>;
}

/** A backup, and a target behind a proxy. */
async function scene(targetConfig: Record<string, string> = {}): Promise<Scene> {
  const source = await startServer({ config: { rdbcompression: 'no' } });
  await fillServer(source, { large: 2 ** 21 });
  for (let index = 0; index < 20; index++) await source.call('SET', `page:${index}`, 'x'.repeat(100_000));
  const config = writeConfig({ server: source });
  const id = await takeBackup(config, '--no-verify', '--no-prune');
  const target = await startServer({ config: targetConfig });
  const proxy = await startCuttingProxy(target.port);
  proxies.push(proxy);
  const args = ['restore', id, '--keys', '*', '--into', proxy.url, '--yes', '--json'];
  const run = async (...more: string[]): Promise<AgentResult> =>
    await runAgent([...args, ...more], { config });
  const keys = await countKeys(source);
  return { source, target, proxy, config, keys, args, run };
}

async function expectSame(source: TestServer, target: TestServer): Promise<void> {
  const { functions: _left, ...found } = await describeData(target);
  const { functions: _out, ...wanted } = await describeData(source);
  expect(found).toEqual(wanted);
}

/** Of more than 4 MB, 2 MiB of which are one value that may be among the first. */
const half = 2_600_000;

async function countKeys(server: TestServer): Promise<number> {
  return Object.values((await describeData(server)).keys).flat().length;
}

test('a connection that is cut midway is told, and the same command goes on', async () => {
  const { source, target, proxy, keys, run } = await scene();
  proxy.cutAfter(half);
  const cut = await run();
  expect([cut.code, cut.json.error]).toMatchObject([
    4,
    {
      reason: 'closed',
      message: expect.stringMatching(/written( before)?\)$/),
      hint: expect.stringContaining('the same command goes on from there'),
    },
  ]);
  proxy.cutAfter(Infinity);
  const there = await countKeys(target);
  const plan = await run('--dry-run');
  expect([plan.code, plan.json.plan.resumes_from]).toEqual([0, 0]);
  const { code, json } = await run();
  expect([code, json.result.failed, json.result.written + json.result.existing]).toEqual([0, [], keys]);
  expect(json.result.existing).toBeGreaterThanOrEqual(there);
  await expectSame(source, target);
});

test('without a configuration nothing is remembered: the way on is --skip-existing, and it is told', async () => {
  const { source, target, proxy } = await scene();
  await source.call('SAVE');
  proxy.cutAfter(half);
  const args = ['restore', source.dumpPath, '--keys', '*', '--into', proxy.url, '--yes', '--json'];
  const cut = await runAgent(args);
  expect([cut.code, cut.json.error.hint]).toEqual([4, expect.stringContaining('with --skip-existing')]);
  proxy.cutAfter(Infinity);
  expect((await runAgent(args)).code).toBe(7);
  expect((await runAgent([...args, '--skip-existing'])).code).toBe(0);
  await expectSame(source, target);
});

test('--restart begins anew, and so meets the keys of the run that was cut off', async () => {
  const { proxy, run } = await scene();
  proxy.cutAfter(half);
  await run();
  proxy.cutAfter(Infinity);
  expect(await run('--restart')).toMatchObject({ code: 7, json: { error: { reason: 'exists' } } });
  expect(await run('--restart', '--replace')).toMatchObject({ code: 0, json: { result: { existing: 0 } } });
});

test.each([
  ['that kept all of it', { appendonly: 'yes', appendfsync: 'always' }],
  ['that kept nothing', {}],
])('a target %s is restarted midway: every key is there at the end', async (_what, config) => {
  const { source, target, proxy, keys, run } = await scene(config);
  proxy.cutAfter(half);
  expect((await run()).code).toBe(4);
  await target.kill('SIGKILL');
  await target.restart();
  proxy.cutAfter(Infinity);
  const kept = await countKeys(target);
  const { code, json } = await run();
  expect([code, json.result.failed, json.result.existing]).toEqual([0, [], kept]);
  expect(json.result.written).toBe(keys - kept);
  await expectSame(source, target);
});

test('a target that lost the last writes in a crash gets them again', async () => {
  const { source, target, proxy, keys, run } = await scene();
  proxy.cutAfter(half);
  await run();
  // What was confirmed is on disk but for one key, as after a crash with appendfsync everysec.
  const lost = await target.call('RANDOMKEY');
  if (lost !== null) await target.call('DEL', String(lost));
  await target.call('SAVE');
  await target.kill('SIGKILL');
  await target.restart();
  proxy.cutAfter(Infinity);
  const { code, json } = await run();
  expect([code, json.result.written + json.result.existing]).toEqual([0, keys]);
  await expectSame(source, target);
});

test('the agent as a process, killed with -9, goes on as well; two at once are refused', async () => {
  const { source, target, proxy, config, args, run } = await scene();
  proxy.stallAfter(half);
  const agent = spawnAgent(args, { config });
  while (proxy.passed < half) await new Promise((resolve) => setImmediate(resolve));
  expect((await run()).code).toBe(8);
  agent.kill('SIGKILL');
  await agent.ended;
  proxy.stallAfter(Infinity);
  expect(await run()).toMatchObject({ code: 0, json: { result: { failed: [] } } });
  await expectSame(source, target);
});

test('interrupted by Ctrl-C, it says how far it came, and the same command goes on', async () => {
  const { source, target, proxy, config, args, run } = await scene();
  proxy.stallAfter(half);
  const agent = spawnAgent(args, { config });
  while (proxy.passed < half) await new Promise((resolve) => setImmediate(resolve));
  agent.kill('SIGINT');
  const [, id = ''] = args;
  expect(await agent.ended).toMatchObject({
    code: 130,
    json: {
      error: {
        message: expect.stringMatching(/written( before)?\)$/),
        hint: expect.stringContaining(`the same command goes on from there (backup ${id})`),
      },
    },
  });
  proxy.stallAfter(Infinity);
  expect(await run()).toMatchObject({ code: 0, json: { result: { failed: [] } } });
  await expectSame(source, target);
});
