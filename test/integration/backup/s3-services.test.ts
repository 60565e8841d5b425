import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  CreateMultipartUploadCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { S3StoreOptions } from '../../../src/backup/store/s3.ts';
import type { Store } from '../../../src/backup/store/store.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { startFaultServer } from '../../support/stores/fault-server.ts';
import { instantClock } from '../../support/clocks/instant-clock.ts';
import { digestOf, patternChunks } from '../../support/data/pattern.ts';
import { availableS3Servers, s3Client, type S3TestServer } from '../../support/stores/s3-servers.ts';
import { openTestS3Store } from '../../support/stores/s3-store.ts';

const mebibyte = 1024 * 1024;
const never = new AbortController().signal;
const part = 16 * mebibyte;
const hour = 3_600_000;
const day = 24 * hour;

/** The suite on one server; skipped, with the reason as its name, where it is not here. */
function onServer(
  name: string,
  suite: (at: { server: () => S3TestServer; client: () => S3Client }) => void,
): void {
  const known = availableS3Servers().find((each) => each.name === name);
  describe.skipIf(known?.start === undefined)(known?.missing ?? name, () => {
    let server: S3TestServer | undefined;
    let client: S3Client | undefined;
    beforeAll(async () => {
      server = await known?.start?.();
      client = await s3Client(started(server));
    });
    afterAll(async () => {
      client?.destroy();
      await server?.stop();
    });
    suite({ server: () => started(server), client: () => started(client) });
  });
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the server did not start');
  return value;
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield* patternChunks(17 * mebibyte);
  throw new RangeError('the source broke');
}

const at = (before: number): { before: Date; signal: AbortSignal } => ({
  before: new Date(before),
  signal: never,
});

async function open(server: S3TestServer, options: Partial<S3StoreOptions> = {}): Promise<Store> {
  const store = await openTestS3Store(server, options);
  onTestFinished(() => store.close());
  return store;
}

async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, { signal: never })) keys.push(key);
  return keys;
}

onServer('moto', ({ server, client }) => {
  test.each([
    ['one request', 10],
    ['several parts', 17 * mebibyte],
  ])('encrypts, classes and locks what is put in %s', async (_name, size) => {
    const Bucket = `locked-${size}`;
    await client().send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const now = Date.parse('2027-01-01T00:00:00Z');
    const proxy = await startFaultServer(server().endpoint);
    onTestFinished(() => proxy.stop());
    const store = await open(server(), {
      bucket: Bucket,
      endpoint: proxy.endpoint,
      prefix: 'p',
      storageClass: 'STANDARD_IA',
      serverSideEncryption: { algorithm: 'aws:kms', kms_key_id: 'alias/backup' },
      objectLock: { mode: 'GOVERNANCE', days: 30 },
      clock: { ...instantClock(), now: () => now },
    });
    await store.put('a/b', patternChunks(size), { signal: never });
    // moto keeps no lock for what came in parts, so there only the request tells.
    const sent = proxy.headers.get(size > part ? 'CreateUpload' : 'PutObject');
    expect(sent).toMatchObject({
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': expect.stringMatching(/^2027-01-31T00:00:00/),
    });
    const head = await client().send(new HeadObjectCommand({ Bucket, Key: 'p/a/b' }));
    expect(head).toMatchObject({
      ContentLength: size,
      StorageClass: 'STANDARD_IA',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'alias/backup',
      ...(size > part
        ? {}
        : { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(now + 30 * day) }),
    });
  });

  test.each([10, 17 * mebibyte])(
    'leaves it to the server not to replace an object with %i bytes',
    async (size) => {
      const proxy = await startFaultServer(server().endpoint);
      onTestFinished(() => proxy.stop());
      const store = await open(server(), { prefix: `taken-${size}`, endpoint: proxy.endpoint });
      await store.put('a/b', patternChunks(1), { signal: never });
      // As if the other writer came after every look.
      proxy.plan('HeadObject', { kind: 'answer', status: 404 });
      const putting = store.put('a/b', patternChunks(size), { signal: never });
      await expect(putting).rejects.toMatchObject({ reason: 'exists' });
      proxy.reset();
      expect(await store.stat('a/b', { signal: never })).toMatchObject({ bytes: 1 });
      expect(await store.sweep('', at(Date.now() + hour))).toEqual([]);
    },
  );

  test('lists more than one page, and passes names over that are no keys', async () => {
    const put = async (Key: string): Promise<void> => {
      await client().send(new PutObjectCommand({ Bucket: server().bucket, Key: `odd/${Key}`, Body: 'x' }));
    };
    const odd = [
      'dir/',
      'a b',
      'ü',
      'a+b',
      'a%2Fb',
      'a%zz',
      'a//b',
      '.hidden',
      'a/../b',
      'tab\tb',
      'a&b<c>',
      '\u{1f4be}',
    ];
    for (const key of odd) await put(key);
    const good = Array.from({ length: 1001 }, (_each, index) => `x/${String(index).padStart(4, '0')}`);
    for (let from = 0; from < good.length; from += 50)
      await Promise.all(good.slice(from, from + 50).map(put));
    const store = await open(server(), { prefix: 'odd' });
    expect(await keysOf(store)).toEqual(good);
  });

  test('sweeps uploads that rest, not those that grow, and only below its prefix', async () => {
    const { bucket: Bucket } = server();
    const start = async (Key: string): Promise<void> => {
      const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key }));
      await client().send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
    };
    await start('swept/main/old/dump');
    await start('swept/other/old/dump');
    await start('swept2/main/old/dump');
    const store = await open(server(), { prefix: 'swept' });
    expect(await store.sweep('main', at(Date.now() - hour))).toEqual([]);
    expect(await store.sweep('main', at(Date.now() + hour))).toEqual([
      expect.stringMatching(/^main\/old\/dump \(upload .+\)$/),
    ]);
    expect(await store.sweep('', at(Date.now() + hour))).toEqual([expect.stringContaining('other/old/dump')]);
    expect(await (await open(server(), { prefix: 'swept2' })).sweep('', at(Date.now() + hour))).toHaveLength(
      1,
    );
  });
});

onServer('radosgw', ({ server }) => {
  test.each([0, 10, 17 * mebibyte])('takes the signatures of every request around %i bytes', async (size) => {
    const store = await open(server(), { prefix: `signed-${size}` });
    await store.put('a/b', patternChunks(size), { signal: never });
    expect(await store.stat('a/b', { signal: never })).toMatchObject({ bytes: size });
    const { chunks } = await store.get('a/b', { signal: never });
    expect(await digestOf(chunks)).toEqual(await digestOf(patternChunks(size)));
    await keysOf(store, 'a');
    await store.remove('a/b', { signal: never });
    expect(await store.stat('a/b', { signal: never })).toBeUndefined();
  });

  test('ends the upload of a put that fails', async () => {
    const store = await open(server(), { prefix: 'ended' });
    await expect(store.put('a/b', failing(), { signal: never })).rejects.toThrow('the source broke');
    expect(await store.stat('a/b', { signal: never })).toBeUndefined();
  });

  test.each([
    ['secret', 'test-access-key', 'SignatureDoesNotMatch'],
    ['access key id', 'nobody', 'InvalidAccessKeyId'],
  ])('refuses a wrong %s', async (_name, accessKeyId, code) => {
    const credentials = { accessKeyId, secretAccessKey: new Secret('wrong-secret') };
    const store = await open(server(), { credentials });
    const refusal = { code: 'repository', reason: 'denied' };
    const putting = store.put('a', patternChunks(10), { signal: never });
    await expect(putting).rejects.toMatchObject(refusal);
    await expect(putting).rejects.toThrow(code);
    await expect(putting).rejects.not.toThrow('wrong-secret');
    await expect(keysOf(store)).rejects.toMatchObject(refusal);
    await expect(store.stat('a', { signal: never })).rejects.toMatchObject(refusal);
  });

  test('refuses a clock that is an hour off', async () => {
    const store = await open(server());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hour });
    onTestFinished(() => void vi.useRealTimers());
    const putting = store.put('a', patternChunks(10), { signal: never });
    await expect(putting).rejects.toMatchObject({ code: 'repository', reason: 'clock-skew' });
  });
});
