import { expect, test } from 'vitest';
import type { QueueRef } from '../../../src/domain/queue.ts';
import type { Draft } from '../../../src/monitor/collect/parts/collector.ts';
import { jobsCollector } from '../../../src/monitor/collect/queues.ts';
import { nothing } from '../../../src/monitor/collect/queues/raw.ts';
import { nothingKnown } from '../../../src/monitor/nothing-known.ts';

const ref: QueueRef = { kind: 'bullmq', db: 0, prefix: 'bull', name: 'mail', group: '', guessed: false };

/** Two jobs were active; then their locks are asked for, and who is active still. */
function abandoned(locks: number[], still: string[]): number | null | undefined {
  const raw = { ...nothing, active: 2, activeIds: ['7', '8'], signature: 'a' };
  const draft: Draft = { askedAt: 0, values: {}, texts: {}, known: {}, rawQueues: [{ ref, raw }] };
  const collector = jobsCollector(draft);
  expect(collector?.commands(nothingKnown)).toEqual([
    ['EXISTS', 'bull:mail:7:lock'],
    ['EXISTS', 'bull:mail:8:lock'],
    ['HMGET', 'bull:mail:7', 'processedOn'],
    ['LRANGE', 'bull:mail:active', -3, -1],
  ]);
  collector?.read([...locks, ['1764460800000'], still], draft, nothingKnown);
  return draft.queues?.[0]?.abandoned;
}

test('a job without a lock has lost its worker only if it is active still', () => {
  expect(abandoned([1, 1], ['8', '7'])).toBe(0);
  expect(abandoned([0, 1], ['8', '7'])).toBe(1);
  // Finished between the two questions: lock and place went together.
  expect(abandoned([0, 1], ['9', '8'])).toBe(0);
  expect(abandoned([0, 0], ['9', '8'])).toBe(1);
});
