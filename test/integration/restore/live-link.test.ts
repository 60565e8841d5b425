import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { idsIn, runAgent, takeBackup } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { laterClock } from '../../support/clocks/later-clock.ts';
import { fullDump } from '../../support/servers/live-server.ts';
import {
  expectFree,
  journalOf,
  prepareLive,
  removeSources,
  settings,
  liveBuild,
} from '../../support/restore/live-case.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { recoverRestore, restoreLive, type LiveRunOptions } from '../../support/restore/restore-live.ts';

afterAll(removeSources);

describe('the link', () => {
  /** 32 MB, 24 of them when stored: some frames of it are on their way when others are not read yet. */
  async function prepareLarge(): ReturnType<typeof prepareLive> {
    const prepared = await prepareLive({ config: { ...settings, 'repl-timeout': '2' } });
    const { server, config } = prepared;
    const filler = await startServer({ build: liveBuild });
    for (let key = 0; key < 32; key++)
      await filler.call('SET', `large:${key}`, randomBytes(750_000).toString('base64'));
    config.rewrite({ server: filler });
    const id = await takeBackup(config, '--no-verify');
    config.rewrite({ server });
    return { ...prepared, id };
  }

  /** The second reading stops midway, until `until` lets it go on; deaf to any signal. */
  function stopping(until: () => Promise<void>): NonNullable<LiveRunOptions['fetch']> {
    return async function* (chunks, reading) {
      let bytes = 0;
      let stopped = reading !== 2;
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (!stopped && bytes > 18_000_000) await until();
        stopped ||= bytes > 18_000_000;
        yield chunk;
      }
    };
  }

  test.each(['swapdb', 'disabled'] as const)(
    'dropped by the server midway (%s): the old data is served',
    async (mode) => {
      const { server, old, config, id } = await prepareLarge();
      const run = restoreLive(config.path, id, {
        mode,
        preBackup: false,
        // Longer than its patience.
        fetch: stopping(() => delay(4500)),
      });
      await expect(run).rejects.toMatchObject({
        code: 'failed',
        reason: 'link',
        message: expect.stringMatching(
          /broke after about \d+ %.*the server has its data as before, and takes writes again/,
        ),
      });
      expect(await describeData(server)).toEqual(old);
      await expectFree(server);
      expect(existsSync(journalOf(config))).toBe(false);
    },
  );

  test.each(['swapdb', 'disabled'] as const)('stalled by the agent’s side (%s)', async (mode) => {
    const { server, old, config, id } = await prepareLarge();
    await server.call('CONFIG', 'SET', 'repl-timeout', '60');
    const over = Promise.withResolvers<void>();
    onTestFinished(() => over.resolve());
    const clock = laterClock();
    const run = restoreLive(config.path, id, {
      mode,
      preBackup: false,
      stallTimeout: 1000,
      clock,
      fetch: stopping(() => {
        clock.start();
        return over.promise;
      }),
    });
    await expect(run).rejects.toMatchObject({
      reason: 'stalled',
      message: expect.stringContaining('the server has its data as before'),
    });
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
  });

  test('stalled by the server’s side: it ends, says so, and the next run ends the rest', async () => {
    const { server, old, data, config, id } = await prepareLive({ config: settings });
    const clock = laterClock();
    const run = restoreLive(config.path, id, {
      preBackup: false,
      stallTimeout: 500,
      clock,
      progress: {
        report({ phase }) {
          if (phase !== 'sending') return;
          process.kill(server.pid, 'SIGSTOP');
          clock.start();
        },
      },
    });
    await expect(run).rejects.toMatchObject({
      reason: 'stalled',
      message: expect.stringMatching(/has not moved for .* the server could not be set right/),
    });
    process.kill(server.pid, 'SIGCONT');
    // How much of it had reached the server nobody can say.
    const outcome = (await recoverRestore(config.path))?.outcome;
    expect(['before', 'backup']).toContain(outcome);
    expect(await describeData(server)).toEqual(outcome === 'backup' ? data : old);
    await expectFree(server);
  });

  test.each([
    { aof: true, mode: 'swapdb' },
    { aof: true, mode: 'disabled' },
    { aof: false, mode: 'swapdb' },
    { aof: false, mode: 'disabled' },
  ] as const)(
    'a damaged stream that slipped through ends the server (AOF on: $aof, $mode): its data is safe',
    async ({ aof, mode }) => {
      const { server, old, config, id } = await prepareLive({ aof, config: settings });
      const { dump } = await fullDump(liveBuild);
      const slipped = Buffer.from(dump);
      slipped.fill(0xee, slipped.length >> 1, (slipped.length >> 1) + 64);
      const error = await restoreLive(config.path, id, { mode, slipped }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        reason: 'link',
        message: expect.stringContaining('the server has ended'),
        hint: expect.stringMatching(
          /start it again.*: it loads what it had saved, and if it does not come up: redis-agent restore \S+ --method files$/,
        ),
      });
      await server.kill('SIGKILL');
      // Without an AOF, a server that loads from its disk has replaced its dump.rdb before: then there is the backup.
      if (!aof && mode === 'disabled') {
        const [before = ''] = idsIn(config).filter((other) => other !== id);
        rmSync(server.dumpPath);
        await runAgent(['restore', before, '--to', server.dir], { config });
        renameSync(join(server.dir, `${before}.rdb`), server.dumpPath);
      }
      await server.restart();
      expect(await describeData(server)).toEqual(old);
      expect(await recoverRestore(config.path)).toMatchObject({ outcome: 'restarted' });
      await expectFree(server);
    },
  );
});
