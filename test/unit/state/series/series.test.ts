import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openSeries, type Series } from '../../../../src/state/series/series.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const clock = new ManualClock();
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse('2026-11-21T00:00:00Z');

function tempFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

function open(folder = tempFolder(), log = memoryLog()): { series: Series; folder: string } {
  const series = openSeries(folder, { clock, log, isCounter: (name) => name.endsWith('_total') });
  let closed = false;
  const close = series.close;
  series.close = () => {
    if (!closed) close();
    closed = true;
  };
  onTestFinished(() => series.close());
  return { series, folder };
}

const everything = { since: 0, until: Number.MAX_SAFE_INTEGER };

test('what was put in comes out, hour by hour and after a restart', () => {
  const { series, folder } = open();
  const times = Array.from({ length: 600 }, (_, index) => start + index * 15_000);
  for (const [index, at] of times.entries())
    series.append('main', at, { keys: index, ratio: index / 7, hits_total: 3 * index });
  const raw = times.map((at, index) => ({ at, min: index, mean: index, max: index }));
  expect(series.read('main', 'keys', everything)).toEqual(raw);
  expect(series.read('main', 'keys', { since: start + hour, until: start + hour + minute })).toEqual(
    raw.slice(240, 244),
  );
  expect(series.read('main', 'ratio', everything)[7]?.mean).toBeCloseTo(1, 5);
  expect(series.read('other', 'keys', everything)).toEqual([]);
  expect(series.metrics('main')).toEqual(['hits_total', 'keys', 'ratio']);
  series.close();
  const again = open(folder).series;
  expect(again.read('main', 'keys', everything)).toEqual(raw);
});

test('five minutes and hours: least, mean and most; of a counter the last', () => {
  const { series } = open();
  for (let index = 0; index < 1000; index++)
    series.append('main', start + index * 15_000, { keys: index, hits_total: 2 * index });
  const five = series.read('main', 'keys', { ...everything, step: 5 * minute });
  expect(five.slice(0, 2)).toEqual([
    { at: start, min: 0, mean: 9.5, max: 19 },
    { at: start + 5 * minute, min: 20, mean: 29.5, max: 39 },
  ]);
  // The hour that is not over is in it too.
  expect(five).toHaveLength(50);
  const hours = series.read('main', 'hits_total', { ...everything, step: hour });
  expect(hours.map(({ at, mean }) => [at - start, mean])).toEqual([
    [0, 478],
    [hour, 958],
    [2 * hour, 1438],
    [3 * hour, 1918],
    [4 * hour, 1998],
  ]);
});

test('any times in any order: each once, the newest value for it', () => {
  const moment = fc.record({
    // Within three hours, to the half minute: times collide, and go back, as a clock that is set.
    at: fc.integer({ min: 0, max: 360 }).map((half) => start + half * 30_000),
    value: fc.integer({ min: 0, max: 1000 }),
    other: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 40 }), (moments) => {
      const { series } = open();
      const model = new Map<number, number | undefined>();
      for (const { at, value, other } of moments) {
        series.append('main', at, other ? { other: value } : { keys: value });
        model.set(at, other ? undefined : value);
      }
      const expected = [...model]
        .filter((entry): entry is [number, number] => entry[1] !== undefined)
        .toSorted(([a], [b]) => a - b);
      expect(series.read('main', 'keys', everything).map(({ at, mean }) => [at, mean])).toEqual(expected);
      const coarse = series.read('main', 'keys', { ...everything, step: hour });
      const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
      for (const { at, mean, min, max } of coarse) {
        const inside = expected.filter(([time]) => time >= at && time < at + hour).map(([, value]) => value);
        expect([min, max]).toEqual([Math.min(...inside), Math.max(...inside)]);
        expect(mean).toBeCloseTo(sum(inside) / inside.length, 5);
      }
      series.close();
    }),
    { numRuns: 10 },
  );
});

test('gaps stay gaps', () => {
  const { series } = open();
  series.append('main', start, { keys: 1 });
  series.append('main', start + 5 * hour, { keys: 2 });
  series.append('main', start + 9 * hour, { up: 0 });
  for (const step of [0, 5 * minute, hour])
    expect(series.read('main', 'keys', { ...everything, step }).map(({ at }) => at - start)).toEqual([
      0,
      5 * hour,
    ]);
});

test('raw for two days, five minutes for two weeks, hours for 400 days; and every age has its finest', () => {
  const { series } = open();
  // An hour apart, so that 420 days are few.
  for (let index = 0; index < 420 * 24; index += index < 400 * 24 ? 72 : 3)
    series.append('main', start + index * hour, { keys: index });
  const end = start + 420 * day;
  const points = series.read('main', 'keys', { since: 0, until: end });
  const oldest = points[0]?.at ?? 0;
  expect(end - oldest).toBeGreaterThan(400 * day);
  expect(end - oldest).toBeLessThan(440 * day);
  expect(new Set(points.map(({ at }) => at)).size).toBe(points.length);
  expect(points).toEqual(points.toSorted((a, b) => a.at - b.at));
  const kept = series.state.db.prepare('SELECT tier, count(*) AS count FROM chunk GROUP BY tier').all();
  expect(kept.map((row) => ({ ...row }))).toEqual([
    { tier: 0, count: expect.closeTo(16, -1) },
    { tier: 1, count: expect.closeTo(15, -1) },
    { tier: 2, count: expect.closeTo(13, -1) },
  ]);
});

test('a damaged chunk is a gap, and a damaged file is set aside', () => {
  const log = memoryLog();
  const { series, folder } = open(undefined, log);
  series.append('main', start, { keys: 1 });
  series.append('main', start + hour, { keys: 2 });
  series.append('main', start + 2 * hour, { keys: 3 });
  series.state.db.prepare("UPDATE chunk SET data = x'00' WHERE tier = 0 AND start = ?").run(start);
  // The coarser tiers have it still.
  expect(series.read('main', 'keys', everything).map(({ mean }) => mean)).toEqual([1, 2, 3]);
  series.state.db.exec("UPDATE chunk SET data = x'00'");
  expect(series.read('main', 'keys', everything).map(({ mean }) => mean)).toEqual([3]);
  series.close();
  writeFileSync(join(folder, 'series.db'), 'this is no database, and long enough to be looked at'.repeat(50));
  const again = open(folder, log).series;
  again.append('main', start, { keys: 9 });
  expect(again.read('main', 'keys', everything)).toHaveLength(1);
  expect(readdirSync(folder).some((name) => name.startsWith('series.db.damaged-'))).toBe(true);
  expect(statSync(join(folder, 'series.db')).mode & 0o777).toBe(0o600);
});
