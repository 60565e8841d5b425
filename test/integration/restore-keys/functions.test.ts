// Function libraries with --into: left out and said, or loaded.
import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type AgentResult } from '../../support/agent/cli.ts';
import { hasFunctions } from '../../support/data/data-set.ts';
import { edgeBuilds, findBuild, startServer } from '../../support/servers/redis-server.ts';

const builds = edgeBuilds().filter(hasFunctions);
const library = (answer: string): string =>
  `#!lua name=kept\nredis.register_function('answer', function() return '${answer}' end)`;

test.each(builds)('$name', async (build) => {
  const source = await startServer({ build });
  const target = await startServer({ build });
  await source.call('SET', 'key', 'value');
  await source.call('FUNCTION', 'LOAD', library('new'));
  await source.call(
    'FUNCTION',
    'LOAD',
    `#!lua name=long\n--${'x'.repeat(100_000)}\nredis.register_function('long', function() return 1 end)`,
  );
  const config = writeConfig({ server: source });
  const id = await takeBackup(config, '--no-verify', '--no-prune');
  const restore = async (...args: string[]): Promise<AgentResult> =>
    await runAgent(['restore', id, '--keys', '*', '--into', target.url, ...args], { config });
  const left = await restore('--dry-run');
  expect(left.stdout.replaceAll(/\s+/g, ' ')).toContain(
    '2 function libraries in the dump are no keys, and are not written: --with-functions',
  );
  expect((await restore('--yes', '--json')).json.result.functions).toBeNull();
  expect(await target.call('FUNCTION', 'LIST')).toEqual([]);

  const loaded = await restore('--yes', '--skip-existing', '--with-functions', '--json');
  expect(loaded).toMatchObject({
    code: 0,
    json: { result: { functions: { loaded: 2, existing: 0, failed: [] } } },
  });
  expect(await target.call('FCALL', 'answer', 0)).toBe('new');
  expect(await target.call('FCALL', 'long', 0)).toBe(1);

  // Another of that name is there: left, an error, or written over, as keys are.
  await target.call('FUNCTION', 'LOAD', 'REPLACE', library('old'));
  const skipped = await restore('--yes', '--skip-existing', '--with-functions', '--json');
  expect(skipped).toMatchObject({ code: 0, json: { result: { functions: { loaded: 0, existing: 2 } } } });
  await target.call('DEL', 'key');
  const stopped = await restore('--yes', '--with-functions');
  expect(stopped).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/function library not loaded: kept: .*already exists/),
  });
  expect(await target.call('FCALL', 'answer', 0)).toBe('old');
  const replaced = await restore('--yes', '--replace', '--with-functions', '--json');
  expect(replaced).toMatchObject({ code: 0, json: { result: { functions: { loaded: 2, failed: [] } } } });
  expect(await target.call('FCALL', 'answer', 0)).toBe('new');
});

test('a target that knows no functions says so', async () => {
  const [build] = builds;
  const old = findBuild('redis', '6.0');
  if (build === undefined || old === undefined) return;
  const source = await startServer({ build });
  const target = await startServer({ build: old });
  await source.call('SET', 'key', 'value');
  await source.call('FUNCTION', 'LOAD', library('new'));
  const config = writeConfig({ server: source });
  const id = await takeBackup(config, '--no-verify', '--no-prune');
  const args = ['restore', id, '--keys', '*', '--into', target.url, '--yes', '--with-functions'];
  const [planned] = (await runAgent([...args.slice(0, -1), '--dry-run', '--json'], { config })).json.plan
    .warnings;
  expect(planned).toBe(
    '1 function library in the dump is no key, and is not written: --with-functions loads it',
  );
  const { code, stdout } = await runAgent(args, { config });
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout: expect.stringMatching(
      /1 key written.*function library not loaded: kept: refused: .*unknown command `FUNCTION`\n$/s,
    ),
  });
});
