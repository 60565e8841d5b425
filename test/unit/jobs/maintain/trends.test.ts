import { expect, onTestFinished, test } from 'vitest';
import { isCounter } from '../../../../src/domain/metrics.ts';
import type { EvidenceLine } from '../../../../src/domain/task.ts';
import type { EvidenceSource } from '../../../../src/jobs/maintain/evidence/source.ts';
import {
  capacityReview,
  memoryTrend,
  performanceReview,
  slowlogReview,
} from '../../../../src/jobs/maintain/evidence/trends.ts';
import { openSeries } from '../../../../src/state/series/series.ts';
import { addSlow } from '../../../../src/state/series/slow.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const start = Date.parse('2026-10-01T00:00:00Z');
const now = start + 60 * day;

/** A source whose history has a value of each metric each fourth hour, over sixty days. */
function history(values: (hours: number) => Record<string, number>): EvidenceSource {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const clock = new ManualClock();
  const series = openSeries(folder, { clock, log: memoryLog(), isCounter });
  onTestFinished(() => series.close());
  for (let hours = 0; hours < 60 * 24; hours += 4) series.append('main', start + hours * hour, values(hours));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what these tasks do not look at is left out
  return {
    series: () => series,
    instance: { name: 'main' },
    now,
    last: undefined,
  } as unknown as EvidenceSource;
}

const gib = 2 ** 30;
const healthy = (hours: number): Record<string, number> => ({
  memory_used_bytes: gib + 1e6 * Math.sin(hours),
  memory_limit_bytes: 4 * gib,
  command_p95_seconds: 0.0004,
  round_trip_seconds: 0.001,
  keyspace_hits_total: 950 * hours,
  keyspace_misses_total: 50 * hours,
});
const wrong = (lines: EvidenceLine[]): string[] =>
  lines.filter(({ ok }) => ok === false).map(({ text }) => text);

test('on a healthy server nothing is named', async () => {
  const source = history(healthy);
  for (const look of [memoryTrend, capacityReview, performanceReview, slowlogReview]) {
    const lines = await look(source);
    expect(lines.length).toBeGreaterThan(0);
    expect(wrong(lines)).toEqual([]);
  }
});

test('a leak is named by the trend and by the review of capacity', async () => {
  const source = history((hours) => ({ ...healthy(hours), memory_used_bytes: gib + hours * 2e6 }));
  expect(wrong(await memoryTrend(source)).join()).toMatch(/4\.0 GiB are reached in about \d+ days/);
  expect(wrong(await capacityReview(source))).toHaveLength(1);
});

test('slower commands and a falling hit rate are named', async () => {
  const source = history((hours) => ({
    ...healthy(hours),
    command_p95_seconds: hours < 720 ? 0.0004 : 0.002,
    keyspace_hits_total: hours < 720 ? 950 * hours : 950 * 720 + 500 * (hours - 720),
    keyspace_misses_total: hours < 720 ? 50 * hours : 50 * 720 + 500 * (hours - 720),
  }));
  const named = wrong(await performanceReview(source));
  expect(named).toHaveLength(2);
  expect(named[0]).toContain('p95 of commands 2.00 ms, 5.00 times');
  expect(named[1]).toContain('hit rate 50.');
});

test('a slow command that was not there the last time is new, and then is not', async () => {
  const source = history(healthy);
  const entry = {
    id: 1,
    at: now - hour,
    micros: 250_000,
    fingerprint: 'KEYS *',
    shape: 'KEYS *',
    client: '',
  };
  addSlow(source.series(), 'main', {
    at: now - hour,
    entries: [entry],
    lost: 0,
    cursor: { runId: 'r', id: 1, present: true },
  });
  const before = {
    task: 'slowlog-review',
    outcome: 'done' as const,
    at: now - day,
    by: 'x',
    note: '',
    evidence: [],
  };
  const first = await slowlogReview({ ...source, last: before });
  expect(wrong(first).join()).toContain('new: KEYS *');
  const again = await slowlogReview({ ...source, last: { ...before, evidence: first } });
  expect(wrong(again)).toEqual([]);
});

test('where nothing was measured, nothing is known', async () => {
  const source = history(() => ({}));
  expect(await memoryTrend(source)).toMatchObject([{ ok: null }]);
  expect(await performanceReview(source)).toMatchObject([{ ok: null }]);
  expect(await slowlogReview(source)).toMatchObject([{ ok: null }]);
});
