import { expect, test } from 'vitest';
import { intoColumns, ratesOf } from '../../../src/app/history/trend.ts';
import { formatMeasure } from '../../../src/cli/render/measure.ts';
import { sparkline } from '../../../src/cli/render/sparkline.ts';

test.for<[metric: string, value: number, text: string]>([
  ['memory_used_bytes', 1.5 * 2 ** 20, '1.5 MiB'],
  ['net_input_bytes_total', 2048, '2.0 KiB/s'],
  ['round_trip_seconds', 0.000_35, '350 µs'],
  ['save_last_duration_seconds', 90, '1m 30s'],
  ['save_last_duration_seconds', -1, '–'],
  ['cpu_seconds_total', 0.125, '12.5 %'],
  ['memory_used_ratio', 0.705, '70.5 %'],
  ['memory_fragmentation_ratio', 1.054, '1.05'],
  ['commands_total', 12.34, '12.3/s'],
  ['keys', 20_000, '20000'],
  ['clients_connected', 0.098, '0'],
  ['clients_connected', 12.6, '13'],
  ['save_last_timestamp_seconds', 1_795_219_200, '2026-11-21T00:00:00.000Z'],
])('%s %d is %s', ([metric, value, text]) => {
  expect(formatMeasure(metric, value)).toBe(text);
});

test('a line of blocks: the least low, the most high, what is missing blank', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([5, 5, undefined, 5])).toBe('▁▁ ▁');
  expect(sparkline([])).toBe('');
  const points = [0, 1, 5, 9].map((at) => ({ at, value: at }));
  expect(intoColumns(points, { since: 0, until: 10, columns: 5 })).toEqual([0.5, undefined, 5, undefined, 9]);
});

test('growth a second: from 0 where a counter went back, and none across a gap', () => {
  const points = [
    [0, 100],
    [10_000, 200],
    [20_000, 50],
    [900_000, 90],
    [910_000, 90],
  ].map(([at = 0, mean = 0]) => ({ at, mean, min: mean, max: mean }));
  expect(ratesOf(points, 0).map(({ at, value }) => [at, value])).toEqual([
    [10_000, 10],
    [20_000, 5],
    [910_000, 0],
  ]);
});
