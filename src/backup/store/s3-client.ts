import { S3Client } from '@aws-sdk/client-s3';
import { mostAttempts, retryStrategy } from './s3-retry.ts';
import type { S3StoreOptions } from './s3.ts';

/** Milliseconds: to connect, and without a byte in either direction. */
const connectTimeout = 10_000;
const idleTimeout = 90_000;

/** A client set up for backups: what differs from the SDK's defaults says why. */
export function makeS3Client(options: S3StoreOptions, closed: AbortSignal): S3Client {
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
    requestHandler: { connectionTimeout: connectTimeout, socketTimeout: idleTimeout },
    // Each upload carries the CRC32 that we compute with zlib, and what is read is checked by SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // For `Expect: 100-continue` the SDK opens a new connection per part, and waits 6 s where a server ignores it.
    expectContinueHeader: false,
    // A wrong clock would also spoil backup ids, retention and object locks: better told than worked around.
    disableClockSkewCorrection: true,
  });
  // Over TLS the signature need not cover the body's SHA-256 as well: TLS and the signed CRC32 protect it.
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (isHttpsRequest(request) && 'x-amz-checksum-crc32' in request.headers)
        request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'unsignedPayload' },
  );
  return client;
}

function isHttpsRequest(request: unknown): request is { headers: Record<string, string> } {
  return (
    typeof request === 'object' &&
    request !== null &&
    'protocol' in request &&
    request.protocol === 'https:' &&
    'headers' in request
  );
}
