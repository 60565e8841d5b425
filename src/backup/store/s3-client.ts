import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { agentsOf } from './s3-agents.ts';
import { signedPayload } from './s3-checksum.ts';
import type { Lack } from './s3-lacks.ts';
import { mostAttempts, retryStrategy } from './s3-retry.ts';
import type { S3StoreOptions } from './s3-options.ts';
import { readUnzonedTimes } from './s3-xml-times.ts';

/** Milliseconds: to connect, and without a byte in either direction. */
const connectTimeout = 10_000;
const idleTimeout = 90_000;

/** Bytes that TLS is given at a time. */
const slice = 256 * 1024;

/** A client set up for backups: what differs from the SDK's defaults says why. */
export function makeS3Client(options: S3StoreOptions, closed: AbortSignal, lacks: Set<Lack>): S3Client {
  const { credentials } = options;
  const client = new S3Client({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    forcePathStyle: options.forcePathStyle,
    ...(credentials === undefined
      ? {}
      : {
          credentials: async () => ({
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey.reveal(),
            ...(credentials.sessionToken === undefined
              ? {}
              : { sessionToken: credentials.sessionToken.reveal() }),
          }),
        }),
    maxAttempts: mostAttempts,
    retryStrategy: retryStrategy(options.clock, closed),
    requestHandler: { connectionTimeout: connectTimeout, socketTimeout: idleTimeout, ...agentsOf(options) },
    // Uploads carry a checksum of our own (s3-checksum.ts), and what is read is compared with the manifest’s SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // For `Expect: 100-continue` the SDK opens a new connection per part, and waits 6 s where a server ignores it.
    expectContinueHeader: false,
    // A wrong clock would also spoil backup ids, retention and object locks: better told than worked around.
    disableClockSkewCorrection: true,
  });
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (!isHttpRequest(request)) return next(args);
      const payload = signedPayload(request.protocol, request.headers);
      if (payload !== undefined) request.headers['x-amz-content-sha256'] = payload;
      return next(args);
    },
    { step: 'build', name: 'signedPayload' },
  );
  // Node encrypts what it is given at once, and 16 MiB would be held a second time until the network has taken them.
  // Below the retries, which need the whole buffer again.
  client.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (!isHttpRequest(request) || request.protocol !== 'https:' || !(request.body instanceof Uint8Array))
        return await next(args);
      const { body } = request;
      request.body = Readable.from(slicesOf(body), { objectMode: false, highWaterMark: slice });
      try {
        return await next(args);
      } finally {
        request.body = body;
      }
    },
    { step: 'deserialize', priority: 'low', name: 'slicedBody' },
  );
  readUnzonedTimes(client, lacks);
  return client;
}

function* slicesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < body.length; offset += slice) yield body.subarray(offset, offset + slice);
}

function isHttpRequest(
  request: unknown,
): request is { protocol: string; headers: Record<string, string>; body: unknown } {
  return typeof request === 'object' && request !== null && 'protocol' in request && 'headers' in request;
}
