import type { S3Client } from '@aws-sdk/client-s3';
import { makeS3Client } from './s3-client.ts';
import { s3Error, type S3Action, type S3Place } from './s3-error.ts';
import type { Lack } from './s3-lacks.ts';
import { retryDelay } from './s3-retry.ts';
import type { S3StoreOptions } from './s3-options.ts';
import type { Operation } from './store-error.ts';

/** What every request to one bucket needs. Keys in an Operation are relative to the prefix. */
export interface S3Connection {
  readonly client: S3Client;
  readonly options: S3StoreOptions;
  readonly place: S3Place;
  /** What was found out that this service has not. */
  readonly lacks: Set<Lack>;
  /** The prefix with its slash, or ''. */
  readonly base: string;
  at(what: Operation): { Bucket: string; Key: string };
  /** Sends one request; rejects with the store's AgentError, or with the signal's reason. */
  call<T>(
    what: Operation,
    action: S3Action,
    signal: AbortSignal,
    send: (options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T>;
  /** Waits before the `retry`th attempt to go on with something. */
  readonly pause: (retry: number, signal: AbortSignal) => Promise<void>;
  readonly close: () => void;
}

export function openS3Connection(options: S3StoreOptions, endpoint: string): S3Connection {
  const closing = new AbortController();
  const lacks = new Set<Lack>(options.checksums === 'off' ? ['checksums'] : []);
  const client = makeS3Client(options, closing.signal, lacks);
  const base = options.prefix === '' ? '' : `${options.prefix}/`;
  const place = { bucket: options.bucket, region: options.region, endpoint };
  return {
    client,
    options,
    place,
    lacks,
    base,
    at: (what) => ({ Bucket: options.bucket, Key: base + what.key }),

    async call(what, action, signal, send) {
      signal.throwIfAborted();
      try {
        return await send({ abortSignal: signal });
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        throw s3Error(what, action, place, cause);
      }
    },

    async pause(retry, signal) {
      await options.clock.sleep(retryDelay(retry), signal);
    },

    close() {
      closing.abort(new Error('the store is closed'));
      client.destroy();
    },
  };
}
