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
  const pages = new Pages(what);
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
    const contents = page.Contents ?? [];
    // The next page is asked for by its token alone: where that was not understood, the first one comes again.
    ContinuationToken = pages.next(page.IsTruncated, page.NextContinuationToken, contents[0]?.Key);
    for (const { Key, Size, LastModified } of contents) {
      const key = decodeKey(Key, page.EncodingType);
      if (key?.startsWith(s3.base) === true)
        yield { key: key.slice(s3.base.length), bytes: Size ?? 0, modified: LastModified ?? new Date(0) };
    }
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
  const pages = new Pages(what);
  let marker: { KeyMarker: string | undefined; UploadIdMarker: string | undefined } | undefined;
  do {
    const command = new ListMultipartUploadsCommand({ ...query, ...marker });
    const page: ListMultipartUploadsCommandOutput = await s3.call(
      what,
      's3:ListBucketMultipartUploads',
      signal,
      (send) => s3.client.send(command, send),
    );
    const uploads = page.Uploads ?? [];
    const next = decodeKey(page.NextKeyMarker, page.EncodingType);
    const token = next === undefined ? undefined : JSON.stringify([next, page.NextUploadIdMarker]);
    const more = pages.next(page.IsTruncated, token, uploads[0]?.UploadId) !== undefined;
    for (const { Key, UploadId, Initiated } of uploads) {
      const key = decodeKey(Key, page.EncodingType);
      if (key?.startsWith(s3.base) === true && UploadId !== undefined)
        yield { key: key.slice(s3.base.length), uploadId: UploadId, started: Initiated ?? new Date(0) };
    }
    marker = more ? { KeyMarker: next, UploadIdMarker: page.NextUploadIdMarker } : undefined;
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
  const pages = new Pages(what);
  let PartNumberMarker: string | undefined;
  do {
    const command = new ListPartsCommand({ ...s3.at(what), UploadId: uploadId, PartNumberMarker });
    const page = await s3.call(what, 's3:ListMultipartUploadParts', signal, (send) =>
      s3.client.send(command, send),
    );
    const parts = page.Parts ?? [];
    if (parts.some(({ LastModified }) => LastModified !== undefined && LastModified >= since)) return true;
    const first = parts[0]?.PartNumber;
    PartNumberMarker = pages.next(
      page.IsTruncated,
      page.NextPartNumberMarker,
      first === undefined ? undefined : String(first),
    );
  } while (PartNumberMarker !== undefined);
  return false;
}

/**
 * The way from page to page of one listing. One that ends early shows backups as broken or not at all, and the next backup
 * clears what it takes for broken: whatever is wrong with the paging is an error.
 */
class Pages {
  readonly #what: Operation;
  readonly #seen = new Set<string>();

  constructor(what: Operation) {
    this.#what = what;
  }

  /** What to ask for the next page by; undefined after the last one. `first` names the first entry of this page. */
  next(
    truncated: boolean | undefined,
    token: string | undefined,
    first: string | undefined,
  ): string | undefined {
    if (first !== undefined) this.#once(`entry ${first}`, 'begins again instead of going on');
    const more = token !== undefined && token !== '';
    // Some leave out that there is more where they give a token.
    if (truncated === false || (truncated === undefined && !more)) return undefined;
    if (!more) throw this.#broken('is cut off, and gives no token for the rest of it');
    this.#once(`token ${token}`, 'gives the same token for the rest again and again');
    return token;
  }

  #once(name: string, problem: string): void {
    if (this.#seen.has(name)) throw this.#broken(problem);
    this.#seen.add(name);
  }

  #broken(problem: string): Error {
    return storeError(this.#what, 'unavailable', `the listing ${problem}: it cannot be trusted`, {
      hint: 'the service has to page as ListObjectsV2 of S3 does: update it, or use another one',
    });
  }
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
