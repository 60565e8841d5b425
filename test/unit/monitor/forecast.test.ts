import { expect, test } from 'vitest';
import { forecast } from '../../../src/monitor/forecast.ts';
import { shapes, simulateMemory } from '../../support/monitor/simulated-memory.ts';

const hour = 3_600_000;
const hourly = (hours: number, value: (at: number) => number): { at: number; value: number }[] =>
  Array.from({ length: hours }, (_, at) => ({ at: at * hour, value: value(at) }));

test('of 1000 simulated series the stated 80 % hold the truth in 75 to 85 of 100', () => {
  let held = 0;
  let told = 0;
  for (const shape of shapes)
    // Other seeds than those that it was made with.
    for (let seed = 0; seed < 200; seed++) {
      const simulated = simulateMemory(shape, 900_001 + 31 * seed + shapes.indexOf(shape) * 1_000_003);
      const told80 = forecast(simulated.points, simulated);
      if (told80 === undefined || simulated.truth <= 0) continue;
      told += 1;
      const [early, late] = [told80.earliest ?? Infinity, told80.latest ?? Infinity];
      if (simulated.truth >= early - 0.25 && simulated.truth <= late + 0.25) held += 1;
    }
  expect(told).toBeGreaterThan(900);
  expect(held / told).toBeGreaterThan(0.75);
  expect(held / told).toBeLessThan(0.85);
});

test('no forecast from less than three days, or from a few hours of each', () => {
  expect(
    forecast(
      hourly(71, (at) => at),
      { now: 71 * hour, limit: 500 },
    ),
  ).toBeUndefined();
  expect(forecast([], { now: 0, limit: 500 })).toBeUndefined();
  const sparse = hourly(240, (at) => at).filter(({ at }) => (at / hour) % 24 < 3);
  expect(forecast(sparse, { now: 240 * hour, limit: 500 })).toBeUndefined();
});

test('a steady growth, a level that stays, and one that is full already', () => {
  const growing = forecast(
    hourly(240, (at) => at),
    { now: 240 * hour, limit: 480 },
  );
  expect(growing?.perDay).toBeCloseTo(24, 5);
  expect(growing?.days).toBeGreaterThan(9);
  expect(growing?.days).toBeLessThan(12);
  const flat = { earliest: null, days: null, latest: null, perDay: 0 };
  expect(
    forecast(
      hourly(240, () => 7),
      { now: 240 * hour, limit: 480 },
    ),
  ).toEqual(flat);
  expect(
    forecast(
      hourly(240, () => 500),
      { now: 240 * hour, limit: 480 },
    )?.days,
  ).toBe(0);
});
