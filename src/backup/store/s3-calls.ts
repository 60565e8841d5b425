import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type CreateMultipartUploadCommandInput,
} from '@aws-sdk/client-s3';
import { checksumAt, withChecksum, withMd5 } from './s3-checksum.ts';
import { openS3Connection, type S3Connection } from './s3-connection.ts';
import { s3Error, statusOf } from './s3-error.ts';
import { withFallbacks, type Lack } from './s3-lacks.ts';
import { hasPartSince, listObjects, listUploads } from './s3-list.ts';
import type { S3StoreOptions } from './s3-options.ts';
import { versionCalls } from './s3-versions.ts';
import { storeError, type Operation } from './store-error.ts';

/** User metadata that tells our own object from another writer's after an answer was lost. */
const putIdName = 'redis-agent-put';

const dayMs = 86_400_000;

/** What HEAD tells of an object. */
export interface Head {
  bytes: number;
  modified: Date;
  etag: string | undefined;
  /** Of the put that wrote it; undefined for other writers, and on servers without user metadata. */
  putId: string | undefined;
}

/**
 * One bucket's requests as functions. This file and what it imports load the SDK, so it is imported lazily. Each
 * function rejects with the store's AgentError or the signal's reason; requests are retried as s3-retry.ts says.
 * `what.key` is relative to the prefix.
 */
export function connectS3(options: S3StoreOptions, endpoint: string) {
  const s3 = openS3Connection(options, endpoint);
  const { client } = s3;
  const checksum = checksumAt(options.endpoint);
  const { lacks } = s3;
  // What checksums are required of, is not sent without.
  const checksums: Lack[] = options.checksums === 'required' ? [] : ['checksums'];
  const carry = (body: Buffer, without: ReadonlySet<Lack>) =>
    without.has('checksums') ? withMd5(body) : withChecksum(body, checksum);
  let bucketSeen = false;

  /** HEAD's refusals have no body, so a listing has to tell why: no bucket, wrong key, wrong clock. */
  async function probe(what: Operation, signal: AbortSignal): Promise<void> {
    const command = new ListObjectsV2Command({ Bucket: options.bucket, Prefix: s3.base, MaxKeys: 1 });
    await s3.call(what, 's3:ListBucket', signal, (send) => client.send(command, send));
    bucketSeen = true;
  }

  /** Some tell no length: then the listing is asked. */
  async function listedBytes(what: Operation, signal: AbortSignal): Promise<number> {
    const { Key } = s3.at(what);
    const command = new ListObjectsV2Command({ Bucket: options.bucket, Prefix: Key, MaxKeys: 1 });
    const { Contents = [] } = await s3.call(what, 's3:ListBucket', signal, (send) =>
      client.send(command, send),
    );
    const found = Contents.find((each) => each.Key === Key);
    if (found?.Size !== undefined) return found.Size;
    throw storeError(what, 'unavailable', `${endpoint} does not say how long it is`);
  }

  return {
    /** undefined when there is no such object; `no-bucket` when there is no bucket. */
    async head(what: Operation, signal: AbortSignal): Promise<Head | undefined> {
      signal.throwIfAborted();
      try {
        const found = await client.send(new HeadObjectCommand(s3.at(what)), { abortSignal: signal });
        if (found.ContentLength === undefined) lacks.add('length');
        const weak = found.ETag?.startsWith('W/') === true;
        if (weak) lacks.add('strong-etag');
        return {
          bytes: found.ContentLength ?? (await listedBytes(what, signal)),
          modified: found.LastModified ?? new Date(0),
          // A weak one never matches (RFC 9110, 13.1.1).
          etag: weak ? undefined : found.ETag,
          putId: found.Metadata?.[putIdName],
        };
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        const status = statusOf(cause) ?? 0;
        if (status >= 400 && status < 500 && !(status === 404 && bucketSeen)) await probe(what, signal);
        if (status === 404) return undefined;
        throw s3Error(what, 's3:GetObject', s3.place, cause);
      }
    },

    async put(what: Operation, body: Buffer, putId: string, signal: AbortSignal): Promise<void> {
      const input = { ...s3.at(what), ...attributes(s3, putId) };
      await s3.call(what, 's3:PutObject', signal, (send) =>
        withFallbacks(lacks, [...checksums, 'condition'], (without) =>
          client.send(
            new PutObjectCommand({ ...input, ...carry(body, without), ...condition(without) }),
            send,
          ),
        ),
      );
    },

    async startUpload(what: Operation, putId: string, signal: AbortSignal): Promise<string> {
      const input = { ...s3.at(what), ...attributes(s3, putId) };
      const { UploadId } = await s3.call(what, 's3:PutObject', signal, (send) =>
        withFallbacks(lacks, checksums, (without) => {
          const sum = without.has('checksums') ? {} : { ChecksumAlgorithm: checksum };
          return client.send(new CreateMultipartUploadCommand({ ...input, ...sum }), send);
        }),
      );
      if (UploadId === undefined)
        throw storeError(what, 'unavailable', `${endpoint} started an upload without naming it`);
      return UploadId;
    },

    async uploadPart(
      what: Operation,
      part: { uploadId: string; number: number; body: Buffer },
      signal: AbortSignal,
    ): Promise<CompletedPart> {
      const input = {
        ...s3.at(what),
        UploadId: part.uploadId,
        PartNumber: part.number,
      };
      const { ETag, ChecksumCRC32, ChecksumSHA256 } = await s3.call(what, 's3:PutObject', signal, (send) =>
        withFallbacks(lacks, checksums, (without) =>
          client.send(new UploadPartCommand({ ...input, ...carry(part.body, without) }), send),
        ),
      );
      // A server that does not give the checksum back does not know it, and may not take it in the list of parts.
      return {
        PartNumber: part.number,
        ETag,
        ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
        ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
      };
    },

    async completeUpload(
      what: Operation,
      upload: { uploadId: string; parts: CompletedPart[]; bytes: number },
      signal: AbortSignal,
    ): Promise<void> {
      const input = { ...s3.at(what), UploadId: upload.uploadId };
      const bare = upload.parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber }));
      await s3.call(what, 's3:PutObject', signal, (send) =>
        withFallbacks(lacks, ['object-size', 'condition', ...checksums], (without) => {
          const Parts = without.has('checksums') ? bare : upload.parts;
          const size = without.has('object-size') ? {} : { MpuObjectSize: upload.bytes };
          const whole = { ...input, MultipartUpload: { Parts }, ...size, ...condition(without) };
          return client.send(new CompleteMultipartUploadCommand(whole), send);
        }),
      );
    },

    async abortUpload(what: Operation, uploadId: string, signal: AbortSignal): Promise<void> {
      const command = new AbortMultipartUploadCommand({ ...s3.at(what), UploadId: uploadId });
      await s3.call(what, 's3:AbortMultipartUpload', signal, (send) => client.send(command, send));
    },

    /** The object from `offset` on, if it is still the one with this ETag. The caller destroys the stream. */
    async read(
      what: Operation,
      from: { offset: number; etag: string | undefined },
      signal: AbortSignal,
    ): Promise<Readable> {
      const command = new GetObjectCommand({
        ...s3.at(what),
        ...(from.etag === undefined ? {} : { IfMatch: from.etag }),
        ...(from.offset === 0 ? {} : { Range: `bytes=${from.offset}-` }),
      });
      const { Body, ContentRange } = await s3.call(what, 's3:GetObject', signal, (send) =>
        client.send(command, send),
      );
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- on Node it is the HTTP response itself
      const body = Body as Readable;
      if (from.offset === 0 || ContentRange?.startsWith(`bytes ${from.offset}-`) === true) return body;
      body.destroy();
      throw storeError(what, 'unavailable', `the connection broke, and ${endpoint} cannot resume (Range)`);
    },

    async remove(what: Operation, signal: AbortSignal): Promise<void> {
      const command = new DeleteObjectCommand(s3.at(what));
      await s3.call(what, 's3:DeleteObject', signal, (send) =>
        client.send(command, send).catch((cause: unknown) => {
          // S3 does not mind a missing one; some services do.
          if (!(cause instanceof NoSuchKey)) throw cause;
        }),
      );
    },

    list: listObjects.bind(undefined, s3),
    uploads: listUploads.bind(undefined, s3),
    hasPartSince: hasPartSince.bind(undefined, s3),
    versions: versionCalls(s3),
    lacks,
    pause: s3.pause,
    close: s3.close,
  };
}

export type S3Calls = ReturnType<typeof connectS3>;

/** Of a request that must not replace an object. */
function condition(without: ReadonlySet<Lack>): { IfNoneMatch?: '*' } {
  return without.has('condition') ? {} : { IfNoneMatch: '*' };
}

/** What a new object gets, in the first request that names it. */
function attributes(
  { options }: S3Connection,
  putId: string,
): Omit<CreateMultipartUploadCommandInput, 'Bucket' | 'Key'> {
  const { objectLock, serverSideEncryption: encryption, storageClass } = options;
  return {
    ContentType: 'application/octet-stream',
    Metadata: { [putIdName]: putId },
    // The service knows its classes and algorithms, the SDK's lists are only AWS's.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as 'STANDARD' }),
    ...(encryption === undefined
      ? {}
      : {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
          ServerSideEncryption: encryption.algorithm as 'AES256',
          SSEKMSKeyId: encryption.kms_key_id,
        }),
    ...(objectLock === undefined
      ? {}
      : {
          ObjectLockMode: objectLock.mode,
          ObjectLockRetainUntilDate: new Date(options.clock.now() + objectLock.days * dayMs),
        }),
  };
}
