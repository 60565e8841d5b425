import { expect, test } from 'vitest';
import { phaseOf } from '../../../../src/app/daemon/watch/watcher.ts';
import { Window } from '../../../../src/app/daemon/watch/window.ts';
import type { Sample } from '../../../../src/domain/sample.ts';

const at = (wall: number, elapsed = wall): Sample => ({
  at: wall,
  elapsed,
  up: 'up',
  values: {},
  texts: {},
  blind: [],
});
const interval = 15_000;

test('keeps what rules look back at, and no more', () => {
  const window = new Window();
  for (let index = 0; index < 1000; index++) window.add(at(index * interval), interval);
  expect(window.samples).toHaveLength(81);
  for (let index = 0; index < 3000; index++) window.add(at(2e7 + index * 500), 500);
  expect(window.samples.length).toBeLessThanOrEqual(1300);
});

test.for<[what: string, next: Sample, kept: number]>([
  ['a late poll', at(80_000), 2],
  ['a host that slept for an hour', at(3_600_000, 15_000), 1],
  ['a clock set back', at(-3_600_000, 15_000), 1],
  ['a process that stood still', at(600_000), 1],
])('%s', ([, next, kept]) => {
  const window = new Window();
  window.add(at(0), interval);
  window.add(next, interval);
  expect(window.samples).toHaveLength(kept);
});

test('fifty instances come one after the other', () => {
  const phases = Array.from({ length: 50 }, (_, index) => phaseOf(`redis-${index}`, interval));
  expect(phases.every((phase) => phase >= 0 && phase < interval)).toBe(true);
  const thirds = [0, 1, 2].map(
    (third) => phases.filter((phase) => Math.floor(phase / 5000) === third).length,
  );
  expect(Math.min(...thirds)).toBeGreaterThan(8);
});
