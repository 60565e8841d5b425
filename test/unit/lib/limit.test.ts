import { expect, test } from 'vitest';
import { limit } from '../../../src/lib/limit.ts';

test('runs so many at a time, in order, and goes on after a failure', async () => {
  const run = limit(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const task = (index: number) => async (): Promise<number> => {
    started.push(index);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    if (index === 1) throw new Error('one fails');
    return index;
  };
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map((index) => run(task(index))));
  expect(started).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  expect(await run(task(5))).toBe(5);
});
