import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import type { S3Connection } from './s3-connection.ts';
import { storeError, type Operation } from './store-error.ts';
import type { StoredObject } from './store.ts';

/** Objects below the prefix `what.key` in the server's order, which is by name; odd names as they are. */
export async function* listObjects(
  s3: S3Connection,
  what: Operation,
  signal: AbortSignal,
): AsyncGenerator<StoredObject> {
  const query = { Bucket: s3.options.bucket, Prefix: below(s3, what), EncodingType: 'url' } as const;
  let ContinuationToken: string | undefined;
  do {
    const command = new ListObjectsV2Command({ ...query, ContinuationToken });
    const page: ListObjectsV2CommandOutput = await s3.call(what, 's3:ListBucket', signal, (send) =>
      s3.client.send(command, send),
    );
    // A web page parses as XML too, and an empty listing would say that there are no backups.
    if (page.IsTruncated === undefined && page.Name === undefined)
      throw storeError(what, 'unavailable', 'the answer is not a listing of S3', {
        hint: 'check that repository.endpoint is the S3 service and not its web console or a proxy',
      });
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      const key = decodeKey(Key, page.EncodingType);
      if (key?.startsWith(s3.base) === true)
        yield { key: key.slice(s3.base.length), bytes: Size ?? 0, modified: LastModified ?? new Date(0) };
    }
    ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
}

/** An unfinished multipart upload. */
export interface Upload {
  key: string;
  uploadId: string;
  started: Date;
}

/** Unfinished multipart uploads below the prefix `what.key`. */
export async function* listUploads(
  s3: S3Connection,
  what: Operation,
  signal: AbortSignal,
): AsyncGenerator<Upload> {
  const query = { Bucket: s3.options.bucket, Prefix: below(s3, what), EncodingType: 'url' } as const;
  let marker: { KeyMarker: string | undefined; UploadIdMarker: string | undefined } | undefined;
  do {
    const command = new ListMultipartUploadsCommand({ ...query, ...marker });
    const page: ListMultipartUploadsCommandOutput = await s3.call(
      what,
      's3:ListBucketMultipartUploads',
      signal,
      (send) => s3.client.send(command, send),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const key = decodeKey(Key, page.EncodingType);
      if (key?.startsWith(s3.base) === true && UploadId !== undefined)
        yield { key: key.slice(s3.base.length), uploadId: UploadId, started: Initiated ?? new Date(0) };
    }
    const next = decodeKey(page.NextKeyMarker, page.EncodingType);
    marker =
      page.IsTruncated === true && next !== undefined
        ? { KeyMarker: next, UploadIdMarker: page.NextUploadIdMarker }
        : undefined;
  } while (marker !== undefined);
}

/** Did the upload of `what.key` get a part at or after this time? */
export async function hasPartSince(
  s3: S3Connection,
  what: Operation,
  uploadId: string,
  since: Date,
  signal: AbortSignal,
): Promise<boolean> {
  let PartNumberMarker: string | undefined;
  do {
    const command = new ListPartsCommand({ ...s3.at(what), UploadId: uploadId, PartNumberMarker });
    const page = await s3.call(what, 's3:ListMultipartUploadParts', signal, (send) =>
      s3.client.send(command, send),
    );
    const parts = page.Parts ?? [];
    if (parts.some(({ LastModified }) => LastModified !== undefined && LastModified >= since)) return true;
    PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return false;
}

function below(s3: S3Connection, what: Operation): string {
  return what.key === '' ? s3.base : `${s3.base}${what.key}/`;
}

/** Names of any bytes survive XML only URL-encoded. Undefined for one that even so makes no sense. */
function decodeKey(key: string | undefined, encoding: string | undefined): string | undefined {
  if (key === undefined || encoding !== 'url') return key;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
