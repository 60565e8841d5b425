import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editManifest, idsIn, runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import {
  caughtUp,
  expectClean,
  faraway,
  often,
  planned,
  serverWithKey,
  slowServer,
  sound,
  startDaemon,
  taken,
  untilSaving,
} from '../support/agent/daemon.ts';
import { makeAgeKey } from '../support/restore/prove-path.ts';
import { startServer } from '../support/servers/redis-server.ts';
import { tempFolder } from './backup/snapshot/support.ts';

test('the first backup at once, then by the schedule; each is proven, and the old ones go', async ({
  annotate,
}) => {
  const password = 'daemon-password-3e1a';
  const server = await startServer({ config: { ...sound, requirepass: password } });
  await server.call('SET', 'key', 'value');
  const { encryption } = makeAgeKey(tempFolder());
  const plan = { schedule: often, prove: true, retention: { days: 0, keep_min: 1 } };
  const config = writeConfig(planned(server, plan, { password, encryption }));
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'started' });
  expect((await daemon.until(taken)).msg).toMatch(/^backup \d{8}T\d{6}Z-[0-9a-f]{4} of 1 key /);
  await daemon.until({ job: 'prove', msg: /loaded by a scratch server/ });
  const status = await runAgent(['status', '--json'], { config });
  expect(status.json).toMatchObject([{ instance: 'main', findings: [] }]);
  await daemon.until({ job: 'prune', msg: 'backup removed' });
  await annotate(`resident: ${Math.round(daemon.rss() / 2 ** 20)} MiB`);

  expect(await daemon.stop()).toMatchObject({ code: 0, stderr: '' });
  expectClean(config);
  expect(daemon.lines().filter(({ level }) => level === 'error')).toEqual([]);
  expect(idsIn(config).length).toBeLessThanOrEqual(2);
  expect(caughtUp(daemon)).toBe(1);
});

/** Takes a backup and makes it look three days old. */
async function takeOldBackup(config: TestConfig): Promise<void> {
  expect(await runAgent(['backup', '--no-verify'], { config })).toMatchObject({ code: 0 });
  const [id = ''] = idsIn(config);
  const day = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  const old = id.replace(/^\d{8}/, day.replaceAll('-', ''));
  editManifest(config, id, (manifest) => {
    manifest.id = old;
  });
  renameSync(join(config.repository, 'main', id), join(config.repository, 'main', old));
}

test('after days of downtime it catches up exactly once', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: faraway() }));
  await takeOldBackup(config);
  const late = startDaemon(config);
  await late.until(taken);
  expect(await late.stop()).toMatchObject({ code: 0 });
  const next = startDaemon(config);
  await next.until({ msg: 'started' });
  expect(await next.stop()).toMatchObject({ code: 0 });
  expect([caughtUp(late), caughtUp(next)]).toEqual([1, 0]);
  expect(idsIn(config)).toHaveLength(2);
  expectClean(config);
});

test('a backup that lasts longer than its schedule is not overlapped', async () => {
  const server = await slowServer();
  const config = writeConfig(planned(server, { schedule: often }));
  const daemon = startDaemon(config);
  await daemon.until(taken, 2);
  await daemon.until({ msg: 'still running: this run is skipped', schedule: 'main: backup' }, 2);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  // Another one at the same time would have found the lock taken.
  expect(daemon.lines().filter(({ level, msg }) => level === 'error' || /did not succeed/.test(msg))).toEqual(
    [],
  );
  const saves = readFileSync(server.logFile, 'utf8').split('Background saving started by pid').length - 1;
  expect(idsIn(config)).toHaveLength(saves);
  expectClean(config);
});

test('SIGHUP: a changed configuration counts, a broken one is named and does not', async () => {
  const [server, other] = [await serverWithKey(), await serverWithKey()];
  const config = writeConfig(planned(server, { schedule: 'off' }));
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'started' });
  expect(idsIn(config)).toEqual([]);

  config.rewrite(planned(server, { schedule: often }));
  daemon.kill('SIGHUP');
  await daemon.until({ msg: 'configuration reloaded' });
  await daemon.until(taken);

  writeFileSync(config.path, 'instances:\n  - { name: main, ulr: redis://127.0.0.1:1 }\n');
  daemon.kill('SIGHUP');
  const refused = await daemon.until({ msg: /^reload refused/, level: 'error' });
  expect(refused['cause']).toContain(`${config.path}:2:`);
  const before = idsIn(config).length;
  await expect.poll(() => idsIn(config).length).toBeGreaterThan(before);

  const instances = [
    { name: 'main', url: server.url },
    { name: 'other', url: other.url },
  ];
  config.rewrite(planned(server, { schedule: often }, { instances }));
  daemon.kill('SIGHUP');
  await daemon.until({ msg: 'configuration reloaded' }, 2);
  await daemon.until({ ...taken, instance: 'other' });
  expect(await daemon.stop()).toMatchObject({ code: 0, stderr: '' });
  expect(idsIn(config, 'other')).not.toEqual([]);
  expectClean(config);
  expectClean(config, 'other');
});

test('SIGHUP during the first backup leaves it alone, and no other one is taken', async () => {
  const server = await slowServer();
  const config = writeConfig(planned(server, { schedule: faraway() }));
  const daemon = startDaemon(config);
  await untilSaving(server);
  daemon.kill('SIGHUP');
  await daemon.until({ msg: 'configuration reloaded' });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(caughtUp(daemon)).toBe(1);
  expect(idsIn(config)).toHaveLength(1);
  expectClean(config);
});

test('a server that is down is a finding until it is back', async () => {
  const server = await serverWithKey();
  // In the middle of a save, it would be waited for that long.
  const config = writeConfig(planned(server, { schedule: often, snapshotTimeout: '2s' }));
  const daemon = startDaemon(config);
  await daemon.until(taken);
  await server.kill('SIGKILL');
  const opened = await daemon.until({ msg: 'finding opened', rule: 'backup-failed' });
  expect(opened).toMatchObject({ severity: 'critical', summary: expect.stringMatching(/^backup failed: /) });
  const down = await runAgent(['status', '--json'], { config });
  expect(down).toMatchObject({
    code: 4,
    json: [{ findings: expect.arrayContaining([expect.objectContaining({ rule: 'backup-failed' })]) }],
  });
  const before = idsIn(config).length;
  await server.restart();
  await daemon.until({ msg: 'finding closed', rule: 'backup-failed' });
  expect(idsIn(config).length).toBeGreaterThan(before);
  expect(await daemon.stop()).toMatchObject({ code: 0, stderr: '' });
  expectClean(config);
});

test('a repository that cannot be reached is a finding until it can, from the start on', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: often }));
  // A file where the folder belongs: even root cannot get past that.
  writeFileSync(config.repository, '');
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'started' });
  await daemon.until({ msg: 'finding opened', rule: 'backup-failed' });
  expect(await runAgent(['status', '--json'], { config })).toMatchObject({ code: 5 });
  rmSync(config.repository);
  mkdirSync(config.repository);
  await daemon.until({ msg: 'finding closed', rule: 'backup-failed' });
  expect(await daemon.stop()).toMatchObject({ code: 0, stderr: '' });
  expectClean(config);
});

test('two daemons on one state directory take turns', async () => {
  const server = await slowServer();
  const config = writeConfig(planned(server, { schedule: often }));
  const daemons = [startDaemon(config), startDaemon(config)];
  for (const daemon of daemons) await daemon.until({ msg: 'started' });
  await Promise.race(
    daemons.map((daemon) =>
      daemon.until({ schedule: 'main: backup', cause: /^another repository run of main is under way/ }),
    ),
  );
  await Promise.race(daemons.map((daemon) => daemon.until(taken, 2)));
  for (const ended of await Promise.all(daemons.map((daemon) => daemon.stop())))
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  const lines = daemons.flatMap((daemon) => daemon.lines());
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  expect(lines.filter(({ msg, rule }) => msg === 'finding opened' && rule === 'backup-failed')).toEqual([]);
  expect(lines.filter(({ job, msg }) => job === 'backup' && msg.startsWith('backup 2'))).toHaveLength(
    idsIn(config).length,
  );
  expectClean(config);
});
