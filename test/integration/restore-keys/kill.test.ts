import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCuttingProxy } from '../../support/servers/cutting-proxy.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData, type DataDescription } from '../../support/data/describe-data.ts';
import { killRestoreKeys } from '../../support/restore/kill-restore-keys.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { runTask, type RestoreKeysTask } from '../../support/restore/restore-keys-child.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { everything } from '../../support/house/tier.ts';

/** A dump of several parts, each of which the journal knows of; lists and streams would show what is written twice. */
async function makeSource(): Promise<{ source: TestServer; dump: string; keys: number; state: string }> {
  const source = await startServer();
  await fillServer(source, { large: 2 ** 21 });
  await source.connection.pipeline(
    Array.from({ length: 400 }, (_, index) => [
      'RPUSH',
      `queue:${index}`,
      ...Array.from({ length: 40 }, (_each, at) => `${index} ${at} ${'x'.repeat(60)}`),
    ]),
  );
  await source.call('CONFIG', 'SET', 'rdbcompression', 'no');
  await source.call('SAVE');
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const dump = join(folder, 'copy.rdb');
  copyFileSync(source.dumpPath, dump);
  const keys = (await describeData(source)).keys;
  return { source, dump, keys: Object.values(keys).flat().length, state: join(folder, 'state') };
}

/** Without when consumers of streams were last seen, which no command can set; and functions, which are no keys. */
function comparable({ digest, keys }: DataDescription): unknown {
  const lines = Object.entries(keys).map(([database, all]) => [
    database,
    all.map((line) => line.replace(/( stream \S+) \w+$/, '$1')),
  ]);
  return { digest, keys: Object.fromEntries(lines) };
}

describe.each([
  ['RESTORE', [], 3.4e6, 'stop'],
  ['plain commands', ['-restore'], 3.1e6, 'replace'],
] as const)('by %s', (_name, rights, sent, usual) => {
  test.each(everything ? (['stop', 'replace'] as const) : [usual])(
    'killed again and again, a restore that would %s ends with every key as it was, and only those',
    async (existing) => {
      const { source, dump, keys, state } = await makeSource();
      const target = await startServer();
      await target.call('ACL', 'SETUSER', 'default', ...rights);
      await using proxy = await startCuttingProxy(target.port);
      const task: RestoreKeysTask = { dump, state, existing, url: proxy.url, tick: 5000 };
      let kills = 0;
      for (const share of [0.05, 0.2, 0.33, 0.21, 0.27])
        kills += (await killRestoreKeys(task, proxy, Math.round(share * sent))) ? 1 : 0;
      expect(kills).toBe(5);
      const { plan, result } = await runTask(task);
      expect(plan.resumes_from).toBeGreaterThan(0);
      expect(result).toMatchObject({ failed: [], expired: 0, passed: 0 });
      const { written = 0, existing: there = 0 } = result ?? {};
      expect([written + there, result?.resumed_from]).toEqual([keys, plan.resumes_from]);
      expect(comparable(await describeData(target))).toEqual(comparable(await describeData(source)));
    },
  );
});

test('a run that is killed before it has noted anything begins at the start, and takes for its own what is there', async () => {
  const { source, dump, keys, state } = await makeSource();
  const target = await startServer();
  await using proxy = await startCuttingProxy(target.port);
  const task: RestoreKeysTask = { dump, state, existing: 'stop', url: proxy.url, tick: 0 };
  expect(await killRestoreKeys(task, proxy, 20_000)).toBe(true);
  const { result } = await runTask(task);
  expect((result?.written ?? 0) + (result?.existing ?? 0)).toBe(keys);
  expect((await describeData(target)).digest).toBe((await describeData(source)).digest);
});

test('a target that was emptied after the kill, and is in use again, gets every key', async () => {
  const { source, dump, keys, state } = await makeSource();
  const target = await startServer();
  await using proxy = await startCuttingProxy(target.port);
  const task: RestoreKeysTask = { dump, state, existing: 'stop', url: proxy.url, tick: 5000 };
  expect(await killRestoreKeys(task, proxy, 2.5e6)).toBe(true);
  await target.call('FLUSHALL');
  await target.call('SET', 'of somebody else', 1);
  const { plan, result } = await runTask(task);
  expect([plan.resumes_from, result?.written]).toEqual([0, keys]);
  await target.call('DEL', 'of somebody else');
  expect((await describeData(target)).digest).toBe((await describeData(source)).digest);
});
