import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startWatch } from '../../../src/app/daemon/watch.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { AuditReport } from '../../../src/harden/audit/report.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { openFindings } from '../../../src/state/episodes.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const rulesOf = (report: AuditReport): string[] => report.findings.map(({ rule }) => rule);

/** Twelve logins that are refused. */
async function knock(server: TestServer): Promise<void> {
  for (let at = 0; at < 12; at++)
    await expect(
      connectRedis({ name: 'stranger', url: server.url, username: 'nobody', password: new Secret('wrong') }),
    ).rejects.toMatchObject({ code: 'redis' });
}

test('what the watch judges under a name of its own is none of the audit’s', async () => {
  const server = await startServer({ config: { dbfilename: 'folder.rdb' } });
  mkdirSync(join(server.dir, 'folder.rdb'));
  await server.call('BGSAVE');
  await expect.poll(() => server.call('INFO', 'persistence')).toContain('rdb_last_bgsave_status:err');
  const config = writeConfig({ server });
  const { json } = await runAgent(['audit', '--json'], { config });
  expect(rulesOf(json.reports[0])).toContain('PER04');
  const status = await runAgent(['status', '--json'], { config });
  expect(status.stdout).not.toContain('"PER04"');
});

test('CFG10 and ACL17 are one finding, whoever sees it: either opens it, and either closes it', async () => {
  const server = await startServer();
  const config = writeConfig({
    server,
    settings: { monitor: { interval: '1s' }, backup: { schedule: 'off' } },
  });
  const app = await openApp(config);
  onTestFinished(() => app.close());
  const open = (): string[] =>
    openFindings(app.state(), 'main')
      .filter(({ rule }) => rule === 'CFG10' || rule === 'ACL17')
      .map(({ id, rule, resource, severity }) => `${rule} ${resource} ${severity} ${id}`)
      .toSorted();
  const audit = async (): Promise<string[]> => {
    await runAgent(['audit', '--json'], { config });
    return open();
  };
  /** The watch from its first poll until it has seen that. */
  const watchUntil = async (seen: (now: string[]) => boolean): Promise<string[]> => {
    let cycles = 0;
    const watch = startWatch(app, () => (cycles += 1));
    await expect.poll(() => cycles > 1 && seen(open()), { timeout: 20_000 }).toBe(true);
    await watch.stop();
    return open();
  };

  await knock(server);
  const told = await watchUntil((now) => now.length === 2);
  expect(told).toEqual([
    expect.stringMatching(/^ACL17 main warning \d+$/),
    expect.stringMatching(/^CFG10 maxmemory warning \d+$/),
  ]);
  // The same episodes, by their ids.
  expect(await audit()).toEqual(told);
  await server.call('CONFIG', 'SET', 'maxmemory', '100mb');
  await server.call('ACL', 'LOG', 'RESET');
  expect(await audit()).toEqual([]);

  await server.call('CONFIG', 'SET', 'maxmemory', '0');
  await knock(server);
  const again = await audit();
  expect(again).toHaveLength(2);
  expect(await watchUntil(() => true)).toEqual(again);
  await server.call('CONFIG', 'SET', 'maxmemory', '100mb');
  await server.call('ACL', 'LOG', 'RESET');
  expect(await watchUntil((now) => now.length === 0)).toEqual([]);
});

test('a waiver holds for the watch too', async () => {
  const server = await startServer();
  const waiver = { rule: 'CFG10', reason: 'a test host', author: 'kim', until: '2099-01-01' };
  const config = writeConfig({
    server,
    settings: { monitor: { interval: '1s' }, audit: { waivers: [waiver] } },
  });
  const app = await openApp(config);
  onTestFinished(() => app.close());
  await knock(server);
  const watch = startWatch(app);
  const open = (): string[] => openFindings(app.state(), 'main').map(({ rule }) => rule);
  await expect.poll(open, { timeout: 20_000 }).toContain('ACL17');
  await watch.stop();
  expect(open()).not.toContain('CFG10');
});
