import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openState } from '../../src/state/db/open.ts';
import { episodesSince, recordFindings } from '../../src/state/episodes.ts';
import { finishRun, lastRun, startRun } from '../../src/state/runs.ts';
import { idsIn, runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { faraway, planned, serverWithKey, slowServer, untilSaving } from '../support/agent/daemon.ts';
import { startDaemonHere } from '../support/agent/daemon-here.ts';
import { memoryLog } from '../support/agent/memory-log.ts';
import { systemClock } from '../../src/lib/time/system-clock.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

const taken = { job: 'backup', message: /^backup 2/ };

async function withState<T>(
  config: TestConfig,
  work: (state: ReturnType<typeof openState>) => T | Promise<T>,
): Promise<T> {
  const state = openState(config.state, { clock: systemClock, log: memoryLog() });
  try {
    return await work(state);
  } finally {
    state.close();
  }
}

test('a backup that fails while the repository is away is tried again, which status says, until it is there', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: faraway() }));
  // A file where the folder belongs: even root cannot get past that.
  writeFileSync(config.repository, '');
  const daemon = startDaemonHere(config);
  await daemon.until({ message: 'started' });
  daemon.clock.forward(day / 2);
  const first = await daemon.until({ message: 'that may pass: it will be tried again' });
  expect(first).toMatchObject({ schedule: 'main: backup', attempt: 2 });
  const { json } = await runAgent(['status', '--json'], { config, clock: daemon.clock });
  expect(json[0].daemon).toBe(true);
  const next = json[0].next_runs.find(({ job }: { job: string }) => job === 'backup');
  expect(next).toEqual({ job: 'backup', at: first['at'], retry: { attempt: 2, cause: expect.any(String) } });
  expect((await runAgent(['status'], { config, clock: daemon.clock })).stdout).toContain(
    'backup (attempt 2)',
  );

  daemon.clock.forward(40_000);
  expect(await daemon.until({ message: 'that may pass: it will be tried again' }, 2)).toMatchObject({
    attempt: 3,
  });
  rmSync(config.repository);
  mkdirSync(config.repository);
  daemon.clock.forward(80_000);
  await daemon.until(taken);
  await daemon.until({ message: 'finding closed', rule: 'backup-failed' });
  await daemon.stop();
  expect(idsIn(config)).toHaveLength(1);
  const after = await runAgent(['status', '--json'], { config, clock: daemon.clock });
  expect(after.json[0].next_runs.filter(({ retry }: { retry: unknown }) => retry !== null)).toEqual([]);
  expect(after.json[0].daemon).toBe(false);
  expect((await runAgent(['status'], { config, clock: daemon.clock })).stdout).toMatch(
    /next +nothing: no daemon runs/,
  );
});

test('a run that came due while the host slept is made up for, once', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: '0 * * * *' }));
  expect(await runAgent(['backup', '--no-verify'], { config })).toMatchObject({ code: 0 });
  const daemon = startDaemonHere(config);
  await daemon.until({ message: 'started' });
  daemon.clock.forward(5 * 60 * minute + 2000);
  await daemon.until(taken);
  await daemon.stop();
  expect(idsIn(config)).toHaveLength(2);
  const early = daemon.entries.filter(({ schedule }) => schedule === 'main: backup');
  expect(early).toMatchObject([{ message: 'catching up with a run that was missed' }]);
});

test('a reload ends nothing that runs, and the new schedule begins nothing beside it', async () => {
  const server = await slowServer();
  await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '40000');
  const config = writeConfig(planned(server, { schedule: '* * * * *' }));
  const daemon = startDaemonHere(config);
  await untilSaving(server);
  for (let reloads = 1; reloads <= 2; reloads += 1) {
    daemon.reload();
    await daemon.until({ message: 'configuration reloaded' }, reloads);
  }
  expect(daemon.entries.filter(({ message }) => taken.message.test(message))).toEqual([]);
  daemon.clock.forward(minute);
  await daemon.until({ message: 'still running: this run is skipped', schedule: 'main: backup' });
  await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '0');
  await daemon.until({ job: 'prune', message: /removed/ });
  daemon.clock.forward(minute);
  await daemon.until(taken, 2);
  await daemon.stop();
  expect(idsIn(config)).toHaveLength(2);
  expect(daemon.entries.filter(({ level }) => level === 'error')).toEqual([]);
});

test('history of more than 400 days goes while the daemon runs', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: 'off' }));
  const now = Date.now();
  await withState(config, (state) => {
    const finding = {
      rule: 'backup-damaged',
      resource: 'x',
      severity: 'high',
      summary: 's',
      remedy: 'r',
    } as const;
    const scope = { instance: 'main', evaluated: [{ rules: ['backup-damaged'] }] };
    recordFindings(state, { ...scope, now: now - 500 * day }, [
      { instance: 'main', ...finding, evidence: {} },
    ]);
    recordFindings(state, { ...scope, now: now - 399 * day }, []);
    const run = startRun(state, { instance: 'main', job: 'prune', startedAt: now - 399 * day });
    finishRun(state, run, { finishedAt: now, outcome: 'ok', summary: 'old' });
  });
  const daemon = startDaemonHere(config);
  await daemon.until({ message: 'started' });
  const closed = async (): Promise<unknown> =>
    withState(config, (state) => episodesSince(state, 0).filter(({ rule }) => rule === 'backup-damaged'));
  expect(await closed()).toHaveLength(1);
  daemon.clock.forward(3 * day);
  await expect.poll(closed).toEqual([]);
  expect(await withState(config, (state) => lastRun(state, 'main', 'prune'))).toBeUndefined();
  await daemon.stop();
});

test('what comes round every few minutes leaves no runs behind', async () => {
  const config = writeConfig(planned(await serverWithKey(), { schedule: faraway() }));
  const daemon = startDaemonHere(config);
  await daemon.until(taken);
  daemon.clock.forward(6 * minute);
  await daemon.until({ job: 'watch-backups', message: /^newest backup/ });
  await daemon.until({ job: 'watch-restores' }, 2);
  await daemon.stop();
  await withState(config, (state) => {
    const jobs = state.db.prepare('SELECT DISTINCT job FROM runs').all();
    const names = jobs.map(({ job }) => job);
    expect(names).toContain('backup');
    // What is due by the hour may have been, by the time at which this runs.
    expect(names).not.toContain('watch-backups');
    expect(names).not.toContain('watch-restores');
    expect(names).not.toContain('recover-restore');
    expect(names).not.toContain('maintain');
  });
});

test('without the repository the AOF is still checked', async () => {
  const server = await serverWithKey();
  await server.call('CONFIG', 'SET', 'appendonly', 'yes');
  const config = writeConfig(planned(server, { schedule: 'off' }));
  writeFileSync(config.repository, '');
  const { code, json } = await runAgent(['aof', 'check', '--json'], { config });
  expect({ code, json }).toMatchObject({ json: { verdict: expect.stringMatching(/^(ok|config)$/) } });
  expect(existsSync(config.repository)).toBe(true);
  renameSync(config.repository, `${config.repository}.away`);
  expect((await runAgent(['aof', 'check', '--json'], { config })).code).toBe(code);
});
