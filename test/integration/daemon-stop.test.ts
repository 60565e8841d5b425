import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { idsIn, runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import {
  expectClean,
  faraway,
  planned,
  slowServer,
  sound,
  startDaemon,
  untilSaving,
} from '../support/agent/daemon.ts';
import { startServer } from '../support/servers/redis-server.ts';
import { proofsOf, readFromFolder } from '../support/stores/stored-backup.ts';

test.each([
  { name: 'SIGTERM', signals: ['SIGTERM'] },
  { name: 'SIGHUP, and SIGTERM while that waits', signals: ['SIGHUP', 'SIGTERM'] },
] as const)('$name: a running backup is finished and proven first', async ({ signals }) => {
  const server = await slowServer();
  const config = writeConfig(planned(server, { schedule: faraway(), prove: true }));
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'started' });
  await untilSaving(server);
  for (const signal of signals) {
    daemon.kill(signal);
    // The end is the same in any order, but this one is the interesting one.
    await delay(100);
  }
  expect(await daemon.ended()).toMatchObject({ code: 0, stderr: '' });
  const ids = idsIn(config);
  expect(ids).toHaveLength(1);
  expectClean(config);
  expect(proofsOf(readFromFolder(config.repository, 'main', ids[0] ?? ''))).toMatchObject([
    { level: 'loaded', ok: true },
  ]);
});

test('a second SIGTERM cuts a save short: no half backup', async () => {
  const server = await slowServer();
  const config = writeConfig(planned(server, { schedule: faraway() }));
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'started' });
  await untilSaving(server);
  daemon.kill('SIGTERM');
  await daemon.until({ msg: /^stopping/ });
  daemon.kill('SIGTERM');
  expect(await daemon.ended()).toMatchObject({ code: 0, stderr: '' });
  expect(idsIn(config)).toEqual([]);
  // The next one starts as if nothing had been.
  expect(await runAgent(['backup'], { config })).toMatchObject({ code: 0 });
  expect(await runAgent(['status', '--json'], { config })).toMatchObject({ json: [{ findings: [] }] });
});

test('a second SIGTERM cuts a proof short: no scratch server, and the backup stays', async () => {
  const server = await startServer({ config: sound });
  await server.call('DEBUG', 'POPULATE', 400_000, 'key', 60);
  const config = writeConfig(planned(server, { schedule: faraway(), prove: true }));
  const daemon = startDaemon(config);
  const pid = await scratchPid(config);
  daemon.kill('SIGTERM');
  await daemon.until({ msg: /^stopping/ });
  daemon.kill('SIGTERM');
  expect(await daemon.ended()).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(idsIn(config)).toHaveLength(1);
  expectClean(config);
  expect(daemon.lines().filter(({ level }) => level === 'error')).toEqual([]);
});

/** Of the scratch server, as soon as there is one. */
async function scratchPid(config: TestConfig): Promise<number> {
  const folder = join(config.state, 'scratch');
  const read = (): number => {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const file = names.map((name) => join(folder, name, 'server.pid')).find((path) => existsSync(path));
    return file === undefined ? 0 : Number(readFileSync(file, 'utf8'));
  };
  await expect.poll(read, { interval: 1 }).toBeGreaterThan(0);
  return read();
}
