import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  availableS3Servers,
  s3Client,
  type S3Support,
  type S3TestServer,
} from '../../support/stores/s3-servers.ts';

/** What this describes is seen when it gives true; a refusal of any other kind than the expected is an error. */
type Probe = (client: S3Client, server: S3TestServer) => Promise<boolean>;

const known = availableS3Servers();

test.for(known.filter(({ start }) => start === undefined))('$name is here', ({ missing }, { skip }) => {
  skip(missing);
});

const here = known.flatMap(({ name, start }) => (start === undefined ? [] : [{ name, start }]));

describe.each(here)('$name', ({ name, start }) => {
  let server: S3TestServer;
  let client: S3Client;
  beforeAll(async () => {
    server = await start();
    client = await s3Client(server);
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  test('puts, gets and lists objects', async () => {
    const Bucket = server.bucket;
    const body = randomBytes(100_000);
    await client.send(new PutObjectCommand({ Bucket, Key: 'folder/object', Body: body }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'folder/object' }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'folder/' }));
    expect(Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([['folder/object', 100_000]]);
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'none' }))).rejects.toThrow(
      expect.objectContaining({ name: 'NoSuchKey' }),
    );
  });

  test('gets right what it says and nothing else', async () => {
    const seen: Record<string, boolean> = {};
    for (const [ability, probe] of Object.entries(probes)) seen[ability] = await probe(client, server);
    expect(seen).toEqual(server.supports);
  });

  test('is gone when stopped', async () => {
    const other = await start();
    await other.stop();
    await other.stop();
    await expect(fetch(other.endpoint)).rejects.toThrow('fetch failed');
    expect(other.name).toBe(name);
  });
});

const probes: Record<keyof S3Support, Probe> = {
  async ifNoneMatch(client, { bucket: Bucket }) {
    await client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'first' }));
    const again = new PutObjectCommand({ Bucket, Key: 'once', Body: 'second', IfNoneMatch: '*' });
    const refused = await isRefused(client.send(again), 'PreconditionFailed');
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'once' }));
    expect(await Body?.transformToString()).toBe(refused ? 'first' : 'second');
    return refused;
  },

  async ifNoneMatchMultipart(client, server) {
    const upload = await uploadParts(client, server, 'once-in-parts', [randomBytes(10)]);
    await client.send(new CompleteMultipartUploadCommand(upload));
    const again = await uploadParts(client, server, 'once-in-parts', [randomBytes(10)]);
    return await isRefused(
      client.send(new CompleteMultipartUploadCommand({ ...again, IfNoneMatch: '*' })),
      'PreconditionFailed',
    );
  },

  async objectLock(client) {
    const Bucket = 'redis-agent-test-locked';
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const until = new Date(Date.now() + 86_400_000);
    const locked = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until } as const;
    const { VersionId } = await client.send(
      new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept', ...locked }),
    );
    return await isRefused(
      client.send(new DeleteObjectCommand({ Bucket, Key: 'kept', VersionId })),
      'AccessDenied',
    );
  },

  async rejectsBadSignature(_client, server) {
    const stranger = await s3Client(server, { accessKeyId: server.accessKeyId, secretAccessKey: 'wrong' });
    const listing = stranger.send(new ListObjectsV2Command({ Bucket: server.bucket }));
    return await isRefused(listing, 'SignatureDoesNotMatch').finally(() => stranger.destroy());
  },

  // Parts of our own size, the last one shorter.
  async multipart(client, server) {
    const parts = [randomBytes(16 * 2 ** 20), randomBytes(16 * 2 ** 20), randomBytes(1_234_567)];
    const upload = await uploadParts(client, server, 'big', parts);
    await client.send(new CompleteMultipartUploadCommand(upload));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: server.bucket, Key: 'big' }));
    return Buffer.concat(parts).equals((await Body?.transformToByteArray()) ?? new Uint8Array());
  },

  async listsUploads(client, server) {
    const { UploadId } = await uploadParts(client, server, 'unfinished/upload', []);
    const listing = new ListMultipartUploadsCommand({ Bucket: server.bucket, Prefix: 'unfinished/' });
    const { Uploads = [] } = await client.send(listing);
    return Uploads.some((upload) => upload.UploadId === UploadId && upload.Key === 'unfinished/upload');
  },

  async encryption(client, { bucket: Bucket }) {
    const wanted = { ServerSideEncryption: 'AES256', StorageClass: 'STANDARD_IA' } as const;
    const put = client.send(new PutObjectCommand({ Bucket, Key: 'special', Body: 'special', ...wanted }));
    if (await isRefused(put, 'InvalidArgument')) return false;
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'special' }));
    return head.ServerSideEncryption === 'AES256' && head.StorageClass === 'STANDARD_IA';
  },
};

async function isRefused(request: Promise<unknown>, name: string): Promise<boolean> {
  try {
    await request;
    return false;
  } catch (error) {
    if (error instanceof Error && error.name === name) return true;
    throw error;
  }
}

/** Uploads the parts and leaves completing them to the caller. */
async function uploadParts(
  client: S3Client,
  { bucket: Bucket }: S3TestServer,
  Key: string,
  bodies: Buffer[],
): Promise<{ Bucket: string; Key: string; UploadId: string | undefined; MultipartUpload: object }> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body };
    const { ETag } = await client.send(new UploadPartCommand(part));
    Parts.push({ ETag, PartNumber: index + 1 });
  }
  return { Bucket, Key, UploadId, MultipartUpload: { Parts } };
}
