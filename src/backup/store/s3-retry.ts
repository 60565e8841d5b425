import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Clock } from '../../domain/clock.ts';

/** The SDK's seam for retries, without its older form. */
type RetryStrategy = Extract<
  NonNullable<S3ClientConfig['retryStrategy']>,
  { acquireInitialRetryToken: unknown }
>;
type RetryToken = Awaited<ReturnType<RetryStrategy['acquireInitialRetryToken']>>;
type Failure = Parameters<RetryStrategy['refreshRetryTokenForRetry']>[1];

/** Requests are made at most this often: with the delays below about ten seconds of trouble are outlasted. */
export const mostAttempts = 7;

/** Milliseconds: the first retry's longest wait, the longest wait ever, and the longest Retry-After that is obeyed. */
const firstDelay = 300;
const longestDelay = 20_000;
const longestRetryAfter = 60_000;

/** Refusals that do not repeat when the very same request is sent again: damage on the way, or a race. */
const passing = new Set([
  'BadDigest',
  'IncompleteBody',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
  'OperationAborted',
  'ConditionalRequestConflict',
]);

/** Wait before retry `retry` (from 1): full jitter, so that many clients do not come back at the same time. */
export function retryDelay(retry: number): number {
  return Math.random() * Math.min(longestDelay, firstDelay * 2 ** (retry - 1));
}

/**
 * How requests are retried. The SDK's own "standard" strategy would do but for one thing: it obeys a Retry-After only
 * up to five seconds past its own back-off and then comes back early, which is what the header asks not to do. So this
 * takes its place (the SDK has one strategy; nothing is layered): attempts bounded, full jitter, Retry-After obeyed up
 * to a minute. Which failures are worth a retry is still the SDK's judgement, and those in `passing`.
 */
export function retryStrategy(clock: Clock, closed: AbortSignal): RetryStrategy {
  return {
    acquireInitialRetryToken: async () => token(0),
    async refreshRetryTokenForRetry(last: RetryToken, failure: Failure) {
      const retry = last.getRetryCount() + 1;
      const worthIt =
        ['THROTTLING', 'TRANSIENT'].includes(failure.errorType) || passing.has(failure.error?.name ?? '');
      // Rejecting is how the SDK is told to give up; it throws the request's own error then.
      if (!worthIt || retry >= mostAttempts) throw new Error('not to be retried');
      const asked = failure.retryAfterHint === undefined ? 0 : failure.retryAfterHint.getTime() - Date.now();
      await clock.sleep(Math.max(retryDelay(retry), Math.min(asked, longestRetryAfter)), closed);
      return token(retry);
    },
    recordSuccess: () => {},
  };
}

/** The delay is 0 because refreshRetryTokenForRetry has already waited. */
function token(count: number): RetryToken {
  return { getRetryCount: () => count, getRetryDelay: () => 0 };
}
