import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startWatch } from '../../../src/app/daemon/watch.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { openFindings } from '../../../src/state/episodes.ts';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { makeCertificates } from '../../support/servers/certificates.ts';
import { serverBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';

/** Twelve logins that are refused. */
async function knock(server: TestServer): Promise<void> {
  for (let at = 0; at < 12; at++)
    await expect(
      connectRedis({ name: 'stranger', url: server.url, username: 'nobody', password: new Secret('wrong') }),
    ).rejects.toMatchObject({ code: 'redis' });
}

/** Findings of those rules, by whoever looks: the watch until it has seen something, or one audit. */
async function eyesOn(config: TestConfig, rules: readonly string[]) {
  const app = await openApp(config);
  onTestFinished(() => app.close());
  const open = (): string[] =>
    openFindings(app.state(), 'main')
      .filter(({ rule }) => rules.includes(rule))
      .map(({ id, rule, resource, severity }) => `${rule} ${resource} ${severity} ${id}`)
      .toSorted();
  const audit = async (): Promise<string[]> => {
    await runAgent(['audit', '--json'], { config });
    return open();
  };
  /** From its first poll on. */
  const watchUntil = async (seen: (now: string[]) => boolean): Promise<string[]> => {
    let cycles = 0;
    const watch = startWatch(app, () => (cycles += 1));
    await expect.poll(() => cycles > 1 && seen(open())).toBe(true);
    await watch.stop();
    return open();
  };
  return { audit, watchUntil };
}

const often = { monitor: { interval: '1s' }, backup: { schedule: 'off' } };

test('CFG10 and ACL17 are one finding, whoever sees it: either opens it, and either closes it', async () => {
  const server = await startServer();
  const config = writeConfig({ server, settings: often });
  const { audit, watchUntil } = await eyesOn(config, ['CFG10', 'ACL17']);

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

test('PER04, TLS04 and TLS06 are one finding, whoever sees it', async () => {
  const server = await startServer({ tls: true, config: { dbfilename: 'folder.rdb', maxmemory: '100mb' } });
  const next = makeTempFolder();
  onTestFinished(() => removeTempFolder(next));
  const renewed = makeCertificates(next);
  const { url, ca, cert, key } = server.tls!;
  const both = join(next, 'both.pem');
  writeFileSync(both, readFileSync(ca, 'utf8') + readFileSync(renewed.ca, 'utf8'));
  const config = writeConfig({ instances: [{ name: 'main', url, tls: { ca: both } }], settings: often });
  const { audit, watchUntil } = await eyesOn(config, ['PER04', 'TLS04', 'TLS06']);
  const save = async (state: 'ok' | 'err'): Promise<void> => {
    await server.call('BGSAVE');
    await expect
      .poll(() => server.call('INFO', 'persistence'))
      .toContain(`rdb_last_bgsave_status:${state}\r\n`);
  };

  mkdirSync(join(server.dir, 'folder.rdb'));
  await save('err');
  // As it was, so that its user may read it.
  writeFileSync(cert, readFileSync(renewed.cert));
  writeFileSync(key, readFileSync(renewed.key));
  const told = await watchUntil((now) => now.length === 3);
  expect(told).toEqual([
    expect.stringMatching(/^PER04 rdb_last_bgsave_status critical \d+$/),
    // The tests' certificates are good for two days.
    expect.stringMatching(/^TLS04 certificate critical \d+$/),
    `TLS06 ${cert} high ${told[2]?.split(' ').at(-1)}`,
  ]);
  expect(await audit()).toEqual(told);

  rmdirSync(join(server.dir, 'folder.rdb'));
  await save('ok');
  await server.call('CONFIG', 'SET', 'tls-cert-file', cert);
  const left = [told[1]];
  expect(await audit()).toEqual(left);
  expect(await watchUntil(() => true)).toEqual(left);
});

test('PER07 is one finding, and zeroed statistics close it for nobody', async () => {
  const password = 'a-long-and-random-secret';
  const server = await startServer({
    build: serverBuilds().find(({ name }) => name === 'redis-7.0')!,
    auth: { username: 'app', password },
    config: { appendonly: 'yes', user: ['default off', `app on >${password} ~* &* +@all`] },
  });
  for (let each = 0; each < 5; each += 1)
    await server.call(
      'EVAL',
      "redis.call('SET', KEYS[1], 1) redis.call('INCR', KEYS[2])",
      2,
      `a${each}`,
      'b',
    );
  await server.kill('SIGKILL');
  await server.restart();
  const config = writeConfig({ server, username: 'app', password, settings: often });
  const { audit, watchUntil } = await eyesOn(config, ['PER07']);
  const told = await audit();
  expect(told).toEqual([expect.stringMatching(/^PER07 aof-replay critical \d+$/)]);
  expect(await watchUntil(() => true)).toEqual(told);
  await server.call('CONFIG', 'RESETSTAT');
  await server.call('ACL', 'LOG', 'RESET');
  expect(await watchUntil(() => true)).toEqual(told);
  expect(await audit()).toEqual(told);
  await server.restart();
  await server.call('CONFIG', 'RESETSTAT');
  await server.call('ACL', 'LOG', 'RESET');
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
  await expect.poll(open).toContain('ACL17');
  await watch.stop();
  expect(open()).not.toContain('CFG10');
});
