import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startCuttingProxy } from '../../support/servers/cutting-proxy.ts';
import { killRestoreKeys } from '../../support/restore/kill-restore-keys.ts';
import { spawnAgent } from '../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { runTask, type RestoreKeysTask } from '../../support/restore/restore-keys-child.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const MiB = 1024 * 1024;

/** A string, a hash and a list of 80 MiB each, in a database that is not the first, and small keys around them. */
async function makeLarge(): Promise<{ source: TestServer; dump: string; folder: string }> {
  const source = await startServer({ config: { rdbcompression: 'no' } });
  const noise = randomBytes(MiB / 2).toString('hex');
  await source.call('SELECT', 3);
  // Part by part: all at once takes a busy host longer than an answer may take.
  for (let part = 1; part <= 80; part++)
    await source.connection.pipeline([
      ['APPEND', 'string', `${part}${noise}`],
      ['HSET', 'hash', `field ${part}`, `${part}${noise}`],
      ['RPUSH', 'list', `${part}${noise}`, part],
    ]);
  await source.call('PEXPIREAT', 'hash', 4102444800123);
  for (const database of [0, 3, 5]) {
    await source.call('SELECT', database);
    await source.call('DEBUG', 'POPULATE', 1000, `small:${database}`);
  }
  await source.call('SAVE');
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const dump = join(folder, 'copy.rdb');
  copyFileSync(source.dumpPath, dump);
  return { source, dump, folder };
}

async function digests(server: TestServer): Promise<unknown[]> {
  await server.call('SELECT', 3);
  return [
    await server.call('DEBUG', 'DIGEST'),
    await server.call('DBSIZE'),
    await server.call('PEXPIRETIME', 'hash'),
    await server.call('TTL', 'list'),
    await server.call('STRLEN', 'string'),
  ];
}

test('values above 64 MiB arrive whole, in bounded memory', async () => {
  const { source, dump } = await makeLarge();
  const target = await startServer();
  const args = ['restore', dump, '--keys', '*', '--into', target.url, '--json'];
  const plan = await spawnAgent([...args, '--dry-run']).ended;
  expect(plan.json.plan.survey.by_commands).toBe(3);
  const agent = spawnAgent([...args, '--yes']);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakMemory(agent.pid));
  }, 20);
  const { code, json } = await agent.ended.finally(() => clearInterval(watch));
  expect([code, json.result]).toMatchObject([0, { written: 3003, failed: [] }]);
  expect(await digests(target)).toEqual(await digests(source));
  expect(peak).toBeGreaterThan(30 * MiB);
  expect(peak).toBeLessThan(200 * MiB);
});

test('killed in the second reading, where they are built part by part, it goes on there and doubles nothing', async () => {
  const { source, dump, folder } = await makeLarge();
  const target = await startServer();
  await using proxy = await startCuttingProxy(target.port);
  const state = join(folder, 'state');
  const task: RestoreKeysTask = { dump, state, existing: 'stop', url: proxy.url, tick: 50 };
  // The small keys come to less than 1 MiB; then the large ones follow each other.
  for (const bytes of [30 * MiB, 120 * MiB]) expect(await killRestoreKeys(task, proxy, bytes)).toBe(true);
  const { result } = await runTask(task);
  expect(result).toMatchObject({ failed: [], written: 3003 - (result?.existing ?? 0) });
  expect(await digests(target)).toEqual(await digests(source));
});

/** The most that it has held so far, in bytes; 0 when it has ended. */
function peakMemory(pid: number): number {
  try {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}
