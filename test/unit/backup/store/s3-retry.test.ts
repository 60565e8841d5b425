import { describe, expect, test } from 'vitest';
import { mostAttempts, retryDelay, retryStrategy } from '../../../../src/backup/store/s3-retry.ts';
import { instantClock } from '../../../support/clocks/instant-clock.ts';

const open = new AbortController().signal;

describe('retryStrategy', () => {
  test('waits longer from retry to retry, by chance, and never long', () => {
    for (let retry = 1; retry <= 40; retry += 1) {
      const delays = Array.from({ length: 50 }, () => retryDelay(retry));
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...delays)).toBeLessThanOrEqual(Math.min(20_000, 300 * 2 ** (retry - 1)));
      expect(new Set(delays).size).toBeGreaterThan(40);
    }
  });

  test('gives up after so many attempts', async () => {
    const sleeps: number[] = [];
    const strategy = retryStrategy(instantClock(sleeps), open);
    let token = await strategy.acquireInitialRetryToken('');
    for (let attempt = 1; attempt < mostAttempts; attempt += 1)
      token = await strategy.refreshRetryTokenForRetry(token, { errorType: 'TRANSIENT' });
    await expect(strategy.refreshRetryTokenForRetry(token, { errorType: 'TRANSIENT' })).rejects.toThrow(
      'not to',
    );
    expect(sleeps).toHaveLength(mostAttempts - 1);
  });

  test.each([
    ['CLIENT_ERROR', 'AccessDenied', false],
    ['SERVER_ERROR', 'NotImplemented', false],
    ['THROTTLING', 'SlowDown', true],
    ['TRANSIENT', 'InternalError', true],
    ['CLIENT_ERROR', 'BadDigest', true],
    ['CLIENT_ERROR', 'ConditionalRequestConflict', true],
  ] as const)('%s %s: %s', async (errorType, name, expected) => {
    const strategy = retryStrategy(instantClock(), open);
    const token = await strategy.acquireInitialRetryToken('');
    const error = { name, message: name, $fault: 'client' as const, $metadata: {} };
    const again = await strategy.refreshRetryTokenForRetry(token, { errorType, error }).then(
      () => true,
      () => false,
    );
    expect(again).toBe(expected);
  });

  test.each([
    [10_000, 10],
    [600_000, 60],
    [-5_000, 0],
  ])('obeys Retry-After in %i ms by waiting %i s', async (after, seconds) => {
    const sleeps: number[] = [];
    const strategy = retryStrategy(instantClock(sleeps), open);
    const token = await strategy.acquireInitialRetryToken('');
    const retryAfterHint = new Date(Date.now() + after);
    await strategy.refreshRetryTokenForRetry(token, { errorType: 'THROTTLING', retryAfterHint });
    expect(Math.round((sleeps[0] ?? -1) / 1000)).toBe(seconds);
  });

  test('stops waiting when the store is closed', async () => {
    const closed = AbortSignal.abort(new Error('closed'));
    const strategy = retryStrategy(instantClock(), closed);
    const token = await strategy.acquireInitialRetryToken('');
    await expect(strategy.refreshRetryTokenForRetry(token, { errorType: 'TRANSIENT' })).rejects.toThrow(
      'closed',
    );
  });
});
