import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { openState } from '../../../src/state/db/open.ts';
import { openFindings, recordFindings } from '../../../src/state/episodes.ts';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { serverWithKey } from '../../support/agent/daemon.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';

test('a plan, a dry run and a fetch leave the finding that a restore has failed, and are no runs', async () => {
  const config = writeConfig({ server: await serverWithKey() });
  await takeBackup(config);
  const state = openState(config.state, { clock: systemClock, log: memoryLog() });
  onTestFinished(() => state.close());
  const failed = ['restore-failed', 'prune-failed'].map((rule) => ({
    instance: 'main',
    rule,
    resource: 'main',
    severity: 'critical' as const,
    summary: 'it failed',
    remedy: 'try again',
    evidence: {},
  }));
  const evaluated = [{ rules: failed.map(({ rule }) => rule) }];
  recordFindings(state, { instance: 'main', evaluated, now: Date.now() }, failed);
  const runs = (): unknown => state.db.prepare('SELECT job FROM runs').all();
  const before = runs();

  for (const args of [
    ['restore', '--dry-run'],
    ['restore', 'latest', '--to', join(config.folder, 'look')],
    ['backups', 'prune', '--dry-run'],
  ])
    expect({ args, ...(await runAgent(args, { config })) }).toMatchObject({ args, code: 0 });
  // One that cannot be planned is told to who asked, and to nobody else.
  expect(await runAgent(['restore', '20200101T000000Z-0000', '--dry-run'], { config })).toMatchObject({
    code: 1,
  });
  expect(openFindings(state, 'main').map(({ rule }) => rule)).toEqual(['prune-failed', 'restore-failed']);
  expect(runs()).toEqual(before);
});
