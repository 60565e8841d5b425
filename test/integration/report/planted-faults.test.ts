import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isCounter } from '../../../src/domain/metrics.ts';
import type { EvidenceLine } from '../../../src/domain/task.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { openSeries } from '../../../src/state/series/series.ts';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { planned } from '../../support/agent/daemon.ts';
import type { Directives } from '../../support/servers/server-config.ts';
import { startCuttingProxy, type CuttingProxy } from '../../support/servers/cutting-proxy.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const gib = 2 ** 30;

/** Sixty days until now, a value of each metric an hour. */
function keepHistory(config: TestConfig, values: (hours: number) => Record<string, number>): void {
  const series = openSeries(config.state, { clock: systemClock, log: memoryLog(), isCounter });
  const start = Date.now() - 60 * day;
  for (let hours = 0; hours < 60 * 24; hours += 1) series.append('main', start + hours * hour, values(hours));
  series.close();
}

const healthy = (hours: number): Record<string, number> => ({
  memory_used_bytes: gib + 1e6 * Math.sin(hours),
  memory_limit_bytes: 4 * gib,
  command_p95_seconds: 0.0004,
  round_trip_seconds: 0.001,
  keyspace_hits_total: 950 * hours,
  keyspace_misses_total: 50 * hours,
});

const tasks = [
  'memory-trend',
  'slowlog-review',
  'backup-integrity',
  'log-review',
  'certificate-review',
  'performance-review',
  'security-audit',
  'recovery-drill',
  'capacity-review',
] as const;

interface Watched {
  proxy: CuttingProxy;
  config: TestConfig;
}

/** A server, by a way that can be made slow, with a backup and a drill. */
async function withDrill(directives: Directives = {}): Promise<Watched> {
  const server = await startServer({ config: directives });
  await server.call('SET', 'user:1', 'x');
  const proxy = await startCuttingProxy(server.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const options = planned(server, { schedule: '0 6 * * *' }, { server: { url: proxy.url } });
  const settings = { ...options.settings, maintenance: { benchmark: true } };
  const config = writeConfig({ ...options, server: proxy, settings });
  await takeBackup(config);
  await runAgent(['drill'], { config });
  return { proxy, config };
}

/** What a task names as not in order; `at` is how much later it is looked at. */
async function named(config: TestConfig, task: string, at = 0): Promise<string[]> {
  const clock = { ...systemClock, now: () => Date.now() + at };
  const { code, json } = await runAgent(['maintenance', 'run', task, '--json'], { config, clock });
  const wrong = json.evidence.flatMap(({ text, ok }: EvidenceLine) => (ok === false ? [text] : []));
  expect({ task, code, wrong }).toEqual({ task, code: wrong.length > 0 ? 3 : 0, wrong });
  return wrong;
}

test('on a healthy server no task names anything, this month and the next', async () => {
  const { config } = await withDrill({ logfile: '' });
  await runAgent(['backups', 'verify', '--all'], { config });
  await runAgent(['audit'], { config });
  keepHistory(config, healthy);
  for (const task of tasks) expect(await named(config, task)).toEqual([]);
  // What a benchmark takes is told by this machine, whatever else it does meanwhile.
  const again = await named(config, 'performance-review', hour);
  expect(again.filter((text) => !text.startsWith('benchmark: '))).toEqual([]);
});

test('a leak, a falling hit rate, a slower benchmark, a stale drill and an unrotated log: each by its task', async () => {
  const { config, proxy } = await withDrill();
  expect(await named(config, 'performance-review')).toEqual([]);
  keepHistory(config, (hours) => ({
    ...healthy(hours),
    memory_used_bytes: gib + hours * 2e6,
    keyspace_hits_total: hours < 720 ? 950 * hours : 950 * 720 + 500 * (hours - 720),
    keyspace_misses_total: hours < 720 ? 50 * hours : 50 * 720 + 500 * (hours - 720),
  }));
  proxy.slowDown(15);
  for (const task of ['memory-trend', 'capacity-review'])
    expect(await named(config, task)).toEqual([
      expect.stringMatching(/^4\.0 GiB are reached in about \d+ days/),
    ]);
  const slower = await named(config, 'performance-review');
  expect(slower).toContainEqual(expect.stringMatching(/^hit rate 50\.\d %, 95\.\d % in the 30 days before/));
  expect(slower).toContainEqual(
    expect.stringMatching(/^benchmark: set and get takes [\d.]+ ms, [\d.]+ ms the last time \(\d{4}-/),
  );
  // What it is now compared with would hide it next month: the first one is kept.
  expect(await named(config, 'performance-review')).toContainEqual(
    expect.stringMatching(/^benchmark: set and get takes .* the first time/),
  );
  const first = JSON.parse(readFileSync(join(config.state, 'benchmark', 'main-first.json'), 'utf8'));
  expect(first).toMatchObject({ schema: 1, steps: expect.any(Array) });
  expect(await named(config, 'recovery-drill', 200 * day)).toEqual([
    expect.stringMatching(/\(200d 00h ago\): it is due again since then$/),
  ]);
  // Looking at it is no drill.
  const clock = { ...systemClock, now: () => Date.now() + 200 * day };
  const { json: task } = await runAgent(['maintenance', 'show', 'recovery-drill', '--json'], {
    config,
    clock,
  });
  expect(task).toMatchObject({ state: 'overdue' });
  expect(await named(config, 'log-review')).toContainEqual(
    expect.stringMatching(/^no file in .* names it: it grows for ever$/),
  );
  // And that is what everybody hears of.
  const { json: status } = await runAgent(['status', '--json'], { config });
  const told = status[0].findings.filter(({ rule }: { rule: string }) => rule === 'task-evidence');
  expect(new Set(told.map(({ resource }: { resource: string }) => resource))).toEqual(
    new Set(['memory-trend', 'capacity-review', 'performance-review', 'log-review']),
  );
});
