import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../../src/app/build-app.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { Progress } from '../../../src/domain/progress.ts';
import { drillJob } from '../../../src/jobs/drill/drill-job.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { takeLock } from '../../../src/state/locks/lock.ts';
import {
  editManifest,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { backedUp, beside, checkLine, drill, findingsOf, leftIn } from '../../support/restore/drills.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { findBuild, startServer } from '../../support/servers/redis-server.ts';

describe('guards', () => {
  test('too little memory: refused, noted, and insisted on', async () => {
    const { config, id } = await backedUp();
    editManifest(config, id, (manifest) => (manifest.server.used_memory = 2 ** 50));
    const { code, stderr, stdout } = await runAgent(['drill'], { config });
    expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
    expect(stderr).toMatch(
      /^redis-agent: no restore can be rehearsed here: loading it needs \S+ \S+ of memory, .*; or insist with --allow-low-memory$/m,
    );
    expect(beside(config, id, 'drill-')).toEqual([]);
    expect(await findingsOf(config)).toEqual(['drill-skipped warning']);
    expect((await runAgent(['status'], { config })).stdout).toMatch(/^drill +skipped .*: loading it needs /m);
    expect(await checkLine(config)).toMatchObject({ verdict: 'warning' });
    expect(await drill(config, '--allow-low-memory')).toMatchObject({ code: 0, json: { ok: true } });
    expect(await findingsOf(config)).toEqual([]);
  });

  const older = findBuild('redis', '6.0');
  test.skipIf(older === undefined)(
    'a server that is too old for the backup: which is not called damaged',
    async () => {
      const { config, id } = await backedUp();
      config.rewrite({ server: await startServer({ build: older! }) });
      const { code, json } = await drill(config);
      expect({ code, json }).toMatchObject({
        code: 7,
        json: {
          error: {
            reason: 'newer-rdb',
            message: expect.stringMatching(
              /: it is of redis \S+, and redis 6\.0\.\d+, which runs now, cannot load it$/,
            ),
          },
        },
      });
      expect(beside(config, id, 'drill-')).toEqual([]);
      expect(await findingsOf(config)).toEqual(['drill-skipped warning']);
    },
  );

  test('too little room: refused before anything is fetched', async () => {
    const { config, id } = await backedUp();
    editManifest(config, id, (manifest) => (manifest.artefacts[0].plain.bytes = 2 ** 50));
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({
      code: 7,
      json: { error: { reason: 'low-disk', message: expect.stringMatching(/staging it needs /) } },
    });
    expect(leftIn(config)).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)('a small disk', async () => {
    const { config } = await backedUp();
    const scratch = join(config.state, 'scratch');
    mkdirSync(scratch, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=0700', 'tmpfs', scratch]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', scratch]));
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({ code: 7, json: { error: { reason: 'low-disk' } } });
    expect(leftIn(config)).toEqual([]);
    expect(await findingsOf(config)).toEqual(['drill-skipped warning']);
  });

  test('a backup or a restore is under way', async () => {
    const { config } = await backedUp();
    const held = takeLock(config.state, {
      instance: 'main',
      kind: 'repository',
      job: 'backup',
      clock: systemClock,
    });
    const { code, json } = await drill(config);
    held.release();
    expect({ code, json }).toMatchObject({
      code: 8,
      json: { error: { message: expect.stringMatching(/\(backup, pid \d+/) } },
    });
  });

  test('no backup, and none of that id', async () => {
    const config = writeConfig({ server: await startServer() });
    expect(await drill(config)).toMatchObject({ code: 1 });
    expect(await drill(config, '20260101T000000Z-0000')).toMatchObject({ code: 1 });
    expect(await drill(config, 'nonsense')).toMatchObject({ code: 2 });
  });
});

describe('interrupted', () => {
  async function underWay(): Promise<{
    config: TestConfig;
    agent: ReturnType<typeof spawnAgent>;
    scratch: number;
  }> {
    const server = await startServer();
    await server.call('DEBUG', 'POPULATE', 250_000, 'key', 100);
    const config = writeConfig({ server });
    await takeBackup(config, '--no-verify');
    const agent = spawnAgent(['drill'], { config });
    const over = agent.ended.then(() => true);
    for (;;) {
      const pids = leftIn(config).map((name) => pidIn(join(config.state, 'scratch', name)));
      const scratch = pids.find((pid) => pid > 1);
      if (scratch !== undefined) return { config, agent, scratch };
      if (await Promise.race([over, delay(1).then(() => false)]))
        throw new Error(`it has ended: ${agent.stderr}`);
    }
  }

  function pidIn(folder: string): number {
    try {
      return Number(readFileSync(join(folder, 'server.pid'), 'utf8'));
    } catch {
      return 0;
    }
  }

  async function untilGone(pid: number): Promise<void> {
    await expect.poll(() => existsSync(`/proc/${pid}`), { interval: 5 }).toBe(false);
  }

  test.each(['fetching', 'checking', 'loading', 'comparing'])('while %s: nothing is left', async (wanted) => {
    const server = await startServer();
    await server.call('DEBUG', 'POPULATE', 100_000, 'key', 100);
    const config = writeConfig({ server });
    const id = await takeBackup(config, '--no-verify');
    const stop = new AbortController();
    const { signal } = stop;
    const progress: Progress = {
      report({ phase }) {
        if (phase === wanted) stop.abort(new AgentError('interrupted', 'stopped by the test'));
      },
    };
    const app = await buildApp({
      configPath: config.path,
      env: {},
      clock: systemClock,
      log: memoryLog(),
      secrets: [],
      program: [],
    });
    try {
      const options = { which: 'latest', allow: [] };
      const running = app.run(drillJob, app.instance(undefined), options, { signal, progress });
      await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    } finally {
      await app.close();
    }
    expect(leftIn(config)).toEqual([]);
    expect([...beside(config, id, 'drill-'), ...beside(config, id, 'verify-')]).toEqual([]);
    expect(await findingsOf(config)).toEqual([]);
  });

  test('by SIGINT: nothing is left', async () => {
    const { config, agent, scratch } = await underWay();
    agent.kill('SIGINT');
    expect((await agent.ended).code).toBe(130);
    await untilGone(scratch);
    expect(leftIn(config)).toEqual([]);
    expect(await findingsOf(config)).toEqual([]);
  });

  test('by SIGKILL: its server goes with it, and the next run clears its folders', async () => {
    const { config, agent, scratch } = await underWay();
    agent.kill('SIGKILL');
    expect((await agent.ended).code).toBe(-1);
    await untilGone(scratch);
    expect(await drill(config)).toMatchObject({ code: 0 });
    expect(leftIn(config)).toEqual([]);
  });
});
