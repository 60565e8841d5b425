import { expect, test } from 'vitest';
import { idsIn, spawnAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { faraway, planned, serverWithKey } from '../../support/agent/daemon.ts';

const lost = 'redis-agent: cannot write the result: ENOSPC: no space left on device, write\n';

test('a result that is lost on a full disk is a failure', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: faraway() }));
  await takeBackup(config, '--no-verify');
  for (const args of [['backups', 'list'], ['--help'], ['--version']])
    expect(await spawnAgent(args, { config, full: true }).ended).toMatchObject({ code: 1, stderr: lost });
});

test('a full disk below its log ends neither the daemon nor its backups', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: faraway() }));
  const daemon = spawnAgent(['run'], { config, full: true });
  await expect.poll(() => idsIn(config), { interval: 50 }).toHaveLength(1);
  daemon.kill('SIGTERM');
  expect(await daemon.ended).toMatchObject({ code: 0, stderr: '' });
});
