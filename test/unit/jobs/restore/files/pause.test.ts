import { expect, test } from 'vitest';
import { firstPause, nextPause } from '../../../../../src/jobs/restore/files/pause.ts';

/** When a server is looked at within that time, in milliseconds from the start. */
function looks(until: number): number[] {
  const times: number[] = [];
  for (let [pause, at] = [firstPause, firstPause]; at < until; pause = nextPause(pause, at), at += pause)
    times.push(at);
  return times;
}

test('whenever a server is ready, the next look comes within a twentieth of the time that it took', () => {
  const times = looks(120_000);
  for (const [index, at] of times.slice(1).entries()) {
    const waited = at - (times[index] ?? 0);
    expect(waited).toBeLessThanOrEqual(Math.max(60, Math.min(500, at / 20)) + 1e-6);
  }
});

test('a server that takes long is not asked all the time', () => {
  expect(looks(5000).length).toBeLessThan(60);
  expect(looks(120_000).length).toBeLessThan(320);
});
