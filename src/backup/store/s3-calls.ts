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
import { checksumAt, withChecksum } from './s3-checksum.ts';
import { openS3Connection, type S3Connection } from './s3-connection.ts';
import { s3Error, statusOf } from './s3-error.ts';
import { hasPartSince, listObjects, listUploads } from './s3-list.ts';
import type { S3StoreOptions } from './s3-options.ts';
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
  let bucketSeen = false;
  // Some services answer a conditional write with 501 instead of ignoring the condition.
  let conditional = true;

  /** HEAD's refusals have no body, so a listing has to tell why: no bucket, wrong key, wrong clock. */
  async function probe(what: Operation, signal: AbortSignal): Promise<void> {
    const command = new ListObjectsV2Command({ Bucket: options.bucket, Prefix: s3.base, MaxKeys: 1 });
    await s3.call(what, 's3:ListBucket', signal, (send) => client.send(command, send));
    bucketSeen = true;
  }

  /** Sends a request that must not replace an object. */
  async function create<T>(send: (condition: { IfNoneMatch?: '*' }) => Promise<T>): Promise<T> {
    if (!conditional) return await send({});
    try {
      return await send({ IfNoneMatch: '*' });
    } catch (error) {
      if (statusOf(error) !== 501) throw error;
      conditional = false;
      return await send({});
    }
  }

  return {
    /** undefined when there is no such object; `no-bucket` when there is no bucket. */
    async head(what: Operation, signal: AbortSignal): Promise<Head | undefined> {
      signal.throwIfAborted();
      try {
        const found = await client.send(new HeadObjectCommand(s3.at(what)), { abortSignal: signal });
        return {
          bytes: found.ContentLength ?? 0,
          modified: found.LastModified ?? new Date(0),
          etag: found.ETag,
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
      const input = { ...s3.at(what), ...attributes(s3, putId), ...withChecksum(body, checksum) };
      await s3.call(what, 's3:PutObject', signal, (send) =>
        create((condition) => client.send(new PutObjectCommand({ ...input, ...condition }), send)),
      );
    },

    async startUpload(what: Operation, putId: string, signal: AbortSignal): Promise<string> {
      const input = { ...s3.at(what), ...attributes(s3, putId), ChecksumAlgorithm: checksum };
      const { UploadId } = await s3.call(what, 's3:PutObject', signal, (send) =>
        client.send(new CreateMultipartUploadCommand(input), send),
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
        ...withChecksum(part.body, checksum),
      };
      const { ETag, ChecksumCRC32, ChecksumSHA256 } = await s3.call(what, 's3:PutObject', signal, (send) =>
        client.send(new UploadPartCommand(input), send),
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
      const input = {
        ...s3.at(what),
        UploadId: upload.uploadId,
        MultipartUpload: { Parts: upload.parts },
        MpuObjectSize: upload.bytes,
      };
      await s3.call(what, 's3:PutObject', signal, (send) =>
        create((condition) =>
          client.send(new CompleteMultipartUploadCommand({ ...input, ...condition }), send),
        ),
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
    pause: s3.pause,
    close: s3.close,
  };
}

export type S3Calls = ReturnType<typeof connectS3>;

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
