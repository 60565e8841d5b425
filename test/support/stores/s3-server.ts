import type { S3Client } from '@aws-sdk/client-s3';

/** What a server gets right. test/integration/support/s3-servers.test.ts holds each of them to it. */
export interface S3Support {
  /** A PutObject with `If-None-Match: *` on an existing key is refused with 412. */
  ifNoneMatch: boolean;
  /** The same for CompleteMultipartUpload. */
  ifNoneMatchMultipart: boolean;
  /** An object under retention cannot be deleted. */
  objectLock: boolean;
  rejectsBadSignature: boolean;
  /** What was uploaded in parts comes back as it was. */
  multipart: boolean;
  /** Unfinished uploads are listed by a prefix of their key. */
  listsUploads: boolean;
  /** Server-side encryption and storage classes are accepted, and shown by HeadObject. */
  encryption: boolean;
}

/** A private S3 server on loopback with one empty bucket. It wants path-style requests. */
export interface S3TestServer extends AsyncDisposable {
  readonly name: string;
  /** http://127.0.0.1:port */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  readonly supports: S3Support;
  /** May be called twice. */
  stop(): Promise<void>;
}

/** Whoever is allowed in. */
export const s3Credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };

/** Makes the bucket on a server that answers at `endpoint`; when that fails, stops it. */
export async function openS3Server(
  name: string,
  endpoint: string,
  supports: S3Support,
  stop: () => Promise<void>,
): Promise<S3TestServer> {
  const server: S3TestServer = {
    name,
    endpoint,
    ...s3Credentials,
    region: 'us-east-1',
    bucket: 'redis-agent-test',
    supports,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  const client = await s3Client(server);
  try {
    const { CreateBucketCommand } = await import('@aws-sdk/client-s3');
    await client.send(new CreateBucketCommand({ Bucket: server.bucket }));
    return server;
  } catch (error) {
    await stop();
    throw error;
  } finally {
    client.destroy();
  }
}

/** A client for a test's own look into the bucket; whoever asks for it destroys it. */
export async function s3Client(server: S3TestServer, credentials = s3Credentials): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, region } = server;
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
}
