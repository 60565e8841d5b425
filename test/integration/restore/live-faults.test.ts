import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { editManifest, type TestConfig } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { infoOf } from '../../support/servers/live-server.ts';
import {
  expectFree,
  journalOf,
  prepareLive,
  removeSources,
  settings,
  liveBuild,
} from '../../support/restore/live-case.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { recoverRestore, restoreLive } from '../../support/restore/restore-live.ts';

afterAll(removeSources);

describe('what goes wrong on the way', () => {
  test.each(['dump.rdb.zst', 'dump.rdb'])(
    '%s changes between its proof and its use: not a byte of the change is sent',
    async (name) => {
      const { server, old, config, id } = await prepareLive({ config: settings });
      const file = join(config.repository, 'main', id, name);
      if (name === 'dump.rdb') storeUncompressed(config, id);
      const error = await restoreLive(config.path, id, {
        onPhase: (phase) => {
          if (phase !== 'follow') return;
          const bytes = readFileSync(file);
          bytes[bytes.length - 20]! ^= 1;
          writeFileSync(file, bytes);
        },
      }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: 'damaged',
        message: expect.stringContaining('the server has its data as before, and takes writes again'),
        hint: expect.stringContaining('what was there before is backup '),
      });
      expect(await describeData(server)).toEqual(old);
      await expectFree(server);
      expect(existsSync(journalOf(config))).toBe(false);
    },
  );

  test('somebody else takes the server: it is left to them', async () => {
    const { server, config, id } = await prepareLive();
    const other = await startServer({ build: liveBuild });
    const meddling = restoreLive(config.path, id, {
      onPhase: (phase) => {
        // The journal is written before REPLICAOF is: this one comes after it.
        if (phase === 'follow') setTimeout(() => void server.call('REPLICAOF', '127.0.0.1', other.port), 5);
      },
    });
    await expect(meddling).rejects.toMatchObject({ code: 'failed' });
    expect((await infoOf(server)).get('master_port')).toBe(String(other.port));
    expect(existsSync(journalOf(config))).toBe(false);
  });

  test('an interruption midway: the server is as it was', async () => {
    const { server, old, config, id } = await prepareLive({ config: settings });
    const controller = new AbortController();
    const reason = new AgentError('interrupted', 'interrupted by SIGINT');
    const run = restoreLive(config.path, id, {
      signal: controller.signal,
      onPhase: (phase) => {
        if (phase === 'follow') controller.abort(reason);
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
    expect(existsSync(journalOf(config))).toBe(false);
  });

  test('the server dies: the journal stays until it answers again', async () => {
    const { server, old, config, id } = await prepareLive({ config: settings });
    const run = restoreLive(config.path, id, {
      onPhase: (phase) => {
        if (phase === 'follow') process.kill(server.pid, 'SIGKILL');
      },
    });
    await expect(run).rejects.toMatchObject({
      message: expect.stringContaining('the server has ended'),
    });
    expect(existsSync(journalOf(config))).toBe(true);
    await server.kill('SIGKILL');
    await server.restart();
    expect(await recoverRestore(config.path)).toMatchObject({ backup: id, outcome: 'restarted' });
    expect(existsSync(journalOf(config))).toBe(false);
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
  });

  test('a second one beside it is refused by the lock', async () => {
    const { config, id } = await prepareLive();
    let second: unknown;
    await restoreLive(config.path, id, {
      meddle: async () => {
        second = await restoreLive(config.path, id).catch((error: unknown) => error);
      },
    });
    expect(second).toMatchObject({ code: 'locked' });
  });

  test('what the backup before it is refused for names no option that a restore does not have', async () => {
    const { server, config, id } = await prepareLive();
    // Its dump cannot be replaced.
    rmSync(server.dumpPath, { force: true });
    mkdirSync(join(server.dumpPath, 'in the way'), { recursive: true });
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('could not be backed up, and nothing was changed'),
      hint: expect.not.stringContaining('--skip-preflight'),
    });
  });

  test('a backup that cannot be taken first: nothing begins, unless it is insisted on', async () => {
    const { server, old, data, config, id } = await prepareLive();
    // Another host's prefix: a backup is refused there.
    const { repository } = config;
    const manifest = join(repository, 'main', id, 'manifest.json');
    const text = readFileSync(manifest, 'utf8').replace(
      /"machine": "[^"]*"/,
      `"machine": "${'f'.repeat(32)}"`,
    );
    writeFileSync(manifest, text);
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('could not be backed up, and nothing was changed'),
      hint: expect.stringContaining('--no-pre-backup'),
    });
    expect(await describeData(server)).toEqual(old);
    await restoreLive(config.path, id, { preBackup: false });
    expect(await describeData(server)).toEqual(data);
  });
});

/** The same backup, as if compression had been off. */
function storeUncompressed(config: TestConfig, id: string): void {
  execFileSync('zstd', ['-d', '-q', '--rm', join(config.repository, 'main', id, 'dump.rdb.zst')]);
  editManifest(config, id, (manifest) => {
    const [artefact] = manifest.artefacts;
    const form = { name: 'dump.rdb', stored: artefact.plain, compression: { algorithm: 'none' } };
    manifest.artefacts = [{ ...artefact, ...form }];
    manifest.schema = 2;
  });
}
