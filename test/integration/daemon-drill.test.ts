import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { takeLock } from '../../src/state/locks/lock.ts';
import { editManifest, runAgent, takeBackup, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { expectClean, often, planned, serverWithKey, startDaemon } from '../support/agent/daemon.ts';
import type { TestServer } from '../support/servers/redis-server.ts';

/** A configuration whose only schedule that comes due is that of drills. */
async function drilling(): Promise<{ config: TestConfig; server: TestServer; id: string }> {
  const server = await serverWithKey();
  const options = planned(server, { schedule: 'off' });
  const config = writeConfig(options);
  const id = await takeBackup(config, '--no-verify');
  config.rewrite({ ...options, settings: { ...options.settings, drill: { schedule: often } } });
  return { config, server, id };
}

test('by its schedule a restore is rehearsed, and never beside a backup or a restore', async () => {
  const { config, id } = await drilling();
  const held = takeLock(config.state, {
    instance: 'main',
    kind: 'repository',
    job: 'backup',
    clock: systemClock,
  });
  const daemon = startDaemon(config);
  // It waits for the backup, and is not left out.
  await daemon.until({ msg: 'still running: this run is skipped', schedule: 'main: drill' });
  expect(daemon.lines().filter(({ job }) => job === 'drill')).toEqual([]);
  held.release();
  const restores = new RegExp(`^backup ${id} restores in \\S+: 1 key loaded, every value`);
  await daemon.until({ job: 'drill', msg: restores });
  const { json } = await runAgent(['status', '--json'], { config });
  expect(json[0]).toMatchObject({ drill: { outcome: 'held', backup: id }, findings: [] });
  expect(await daemon.stop()).toMatchObject({ code: 0, stderr: '' });
  expect(daemon.lines().filter(({ level }) => level === 'error')).toEqual([]);
  expectClean(config);
});

test('what a host cannot do is noted as skipped, is a finding, and ends nothing', async () => {
  const { config, id } = await drilling();
  editManifest(config, id, (manifest) => (manifest.server.used_memory = 2 ** 50));
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'finding opened', rule: 'drill-skipped', severity: 'warning' });
  await daemon.until({ job: 'drill', msg: /^drill of backup \S+ skipped: loading it needs / }, 2);
  editManifest(config, id, (manifest) => (manifest.server.used_memory = 2 ** 20));
  await daemon.until({ msg: 'finding closed', rule: 'drill-skipped' });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(daemon.lines().filter(({ level }) => level === 'error')).toEqual([]);
  expectClean(config);
});

test('one that does not hold is a critical finding', async () => {
  const { config, id } = await drilling();
  editManifest(config, id, (manifest) => (manifest.keyspace.databases['0'].keys += 1));
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'finding opened', rule: 'drill-broken', severity: 'critical' });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});
