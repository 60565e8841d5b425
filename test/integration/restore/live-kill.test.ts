import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { livePhases } from '../../../src/backup/restore/live-journal.ts';
import { runAgent, spawnAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import {
  expectFree,
  journalOf,
  liveBuild,
  prepareLive,
  removeSources,
  settings,
  sourceOf,
} from '../../support/restore/live-case.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { recoverRestore, restoreLive } from '../../support/restore/restore-live.ts';
import { childScript } from '../../support/house/child-script.ts';
import { everything } from '../../support/house/tier.ts';

afterAll(removeSources);

/** Where a child kills itself: at every phase of the journal, and inside of some. */
const points = [...livePhases, 'sending', 'sending done', 'making it last'];
/** Who ends what it has left. Each says what the server may have then: the backup for certain, or either. */
const ways: Record<string, (config: TestConfig, id: string) => Promise<{ certain: boolean }>> = {
  async 'the next restore’s first step'(config, id) {
    const recovery = await recoverRestore(config.path);
    expect(recovery).toMatchObject({ backup: id, outcome: expect.stringMatching(/^(?:backup|before)$/) });
    return { certain: recovery?.outcome === 'backup' };
  },
  async 'the next restore'(config, id) {
    const insisting = ['--allow-fewer-keys', '--no-pre-backup', '--yes'];
    const { json } = await runAgent(['--json', 'restore', id, '--method', 'live', ...insisting], { config });
    expect(json).toMatchObject({
      outcome: 'restored',
      interrupted: expect.stringContaining('interrupted at'),
    });
    return { certain: true };
  },
  async 'the daemon'(config) {
    const daemon = spawnAgent(['run'], { config });
    while (existsSync(journalOf(config))) await delay(20);
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 0 });
    return { certain: false };
  },
};
const modes = ['swapdb', 'disabled'] as const;

const cases = points.flatMap((point, index) =>
  // In a usual run somebody else ends it each time.
  Object.entries(ways).flatMap(([ender, end], turn) =>
    everything || (index + turn) % 3 === 0
      ? [
          {
            point,
            ender,
            end,
            // So that each of them meets each of the others.
            aof: (index + turn) % 2 === 0,
            mode: modes[(index + (turn >> 1)) % 2] ?? 'swapdb',
          },
        ]
      : [],
  ),
);

test('these are all the phases that a live restore enters, in order', async () => {
  const { config, id } = await prepareLive();
  const entered: string[] = [];
  await restoreLive(config.path, id, { preBackup: false, onPhase: (phase) => entered.push(phase) });
  expect(entered).toEqual(livePhases);
});

async function restoreAndDie(config: TestConfig, id: string, point: string, mode: string): Promise<void> {
  const script = childScript('restore/restore-live-child');
  const child = spawn(process.execPath, [script, config.path, id, point, mode], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  expect(existsSync(journalOf(config))).toBe(true);
}

describe('killed with -9', () => {
  test.each(['follow', 'sending'])('at %s, the server is free before anybody comes', async (point) => {
    const { server, config, id } = await prepareLive({ aof: false, config: settings });
    await restoreAndDie(config, id, point, 'swapdb');
    await expect.poll(() => server.call('INFO', 'replication')).toMatch(/^role:master/m);
    expect(await recoverRestore(config.path)).toMatchObject({
      outcome: expect.stringMatching(/^(?:backup|before)$/),
    });
    await expectFree(server);
  });

  test.each(['follow', 'sending'])(
    'at %s, a server that replicated by TLS only does so again',
    async (point) => {
      const { repository, id } = await sourceOf(liveBuild);
      const server = await startServer({ build: liveBuild, tls: true, config: { 'tls-replication': 'yes' } });
      const config = writeConfig({ server });
      cpSync(repository, config.repository, { recursive: true });
      await restoreAndDie(config, id, point, 'swapdb');
      expect(await server.call('CONFIG', 'GET', 'tls-replication')).toEqual(['tls-replication', 'no']);
      await recoverRestore(config.path);
      await expectFree(server, { 'tls-replication': 'yes' });
    },
  );

  test('with the repository away, what can be ended is ended', async () => {
    const { server, old, config, id } = await prepareLive({ config: settings });
    await restoreAndDie(config, id, 'follow', 'swapdb');
    rmSync(config.repository, { recursive: true });
    writeFileSync(config.repository, 'no folder');
    const daemon = spawnAgent(['run'], { config });
    while (existsSync(journalOf(config))) await delay(20);
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
  });

  test.each(cases)('at $point (AOF on: $aof, $mode): $ender ends it', async ({ point, end, aof, mode }) => {
    const { server, old, data, config, id } = await prepareLive({ aof, config: settings });
    await restoreAndDie(config, id, point, mode);

    const { certain } = await end(config, id);
    const has = await describeData(server);
    // The old or the new one, whole.
    expect(certain ? [data] : [data, old]).toContainEqual(has);
    await expectFree(server);
    expect(existsSync(journalOf(config))).toBe(false);
    expect(await recoverRestore(config.path)).toBeNull();
    await server.restart();
    expect(await describeData(server)).toEqual(has);
  });
});
