import { expect, onTestFinished, test } from 'vitest';
import { openSeries, type Series } from '../../../../src/state/series/series.ts';
import { addSlow, readSlow, readSlowCursor } from '../../../../src/state/series/slow.ts';
import {
  addClients,
  addCosts,
  forgetTallies,
  readClients,
  readCosts,
} from '../../../../src/state/series/tallies.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { slow } from '../../../support/monitor/samples.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const day = 86_400_000;
const cursor = { runId: 'a'.repeat(40), id: 7, present: true };

function open(): Series {
  const folder = makeTempFolder();
  const series = openSeries(folder, { clock: new ManualClock(), log: memoryLog(), isCounter: () => false });
  onTestFinished(() => {
    series.close();
    removeTempFolder(folder);
  });
  return series;
}

test('slow commands by fingerprint: the dearest first, and where reading stands', () => {
  const series = open();
  expect(readSlowCursor(series, 'main')).toBeUndefined();
  const entries = [
    ...Array.from({ length: 99 }, (_, id) => slow(id, 20)),
    slow(99, 5000),
    slow(100, 900, 'KEYS'),
  ];
  addSlow(series, 'main', { at: now, entries, lost: 12, cursor });
  const { groups, lost } = readSlow(series, 'main', now - day);
  expect(lost).toBe(12);
  expect(groups).toMatchObject([
    { fingerprint: 'SORT list', count: 100, total: 6_980_000, worst: 5_000_000, clients: ['web'] },
    { fingerprint: 'KEYS', count: 1, p95: 900_000 },
  ]);
  // Within a bucket of it.
  expect(groups[0]?.p95).toBeGreaterThanOrEqual(20_000);
  expect(groups[0]?.p95).toBeLessThan(24_001);
  expect(readSlowCursor(series, 'main')).toEqual(cursor);
  expect(readSlow(series, 'other', 0).groups).toEqual([]);
});

test('two hundred fingerprints a day, and the rest as other', () => {
  const series = open();
  const entries = Array.from({ length: 250 }, (_, id) => slow(id, 20, `GET key${'x'.repeat(id)}`));
  addSlow(series, 'main', { at: now, entries, lost: 0, cursor });
  const { groups } = readSlow(series, 'main', 0);
  expect(groups).toHaveLength(201);
  expect(groups.find(({ fingerprint }) => fingerprint === 'other')?.count).toBe(50);
});

test('a server whose clock is absurd keeps nothing for ever', () => {
  const series = open();
  addSlow(series, 'main', { at: now, entries: [{ ...slow(1, 20), at: 9e12 }], lost: 0, cursor });
  expect(readSlow(series, 'main', now - day).groups).toMatchObject([{ last: now }]);
  forgetTallies(series, now + 40 * day);
  expect(readSlow(series, 'main', 0).groups).toEqual([]);
});

test('costs of commands and clients add up', () => {
  const series = open();
  for (const calls of [1, 2]) addCosts(series, 'main', now, [{ command: 'get', calls, micros: 10 * calls }]);
  expect(readCosts(series, 'main', now)).toEqual([{ command: 'get', calls: 3, micros: 30 }]);
  const web = { address: '10.0.0.1', name: 'web', user: 'app', blocked: 0, idle: 1, memory: 5 };
  for (const count of [7, 3]) addClients(series, 'main', now + count, [{ ...web, count }]);
  expect(readClients(series, 'main', now)).toMatchObject([{ name: 'web', most: 7, count: 3, last: now + 3 }]);
  addClients(
    series,
    'main',
    now,
    Array.from({ length: 300 }, (_, index) => ({ ...web, name: `c${index}`, count: 1 })),
  );
  expect(readClients(series, 'main', now)).toHaveLength(201);
});
