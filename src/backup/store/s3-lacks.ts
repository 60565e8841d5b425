import { isRefusedForm } from './s3-error.ts';

/** What a service that is like S3 may not have, or not quite. */
export type Lack =
  /** Checksum headers of uploads (x-amz-checksum-…): Content-MD5 goes instead. */
  | 'checksums'
  /** `If-None-Match: *` on writing. */
  | 'condition'
  /** `x-amz-mp-object-size` when parts are joined. */
  | 'object-size'
  /** ListMultipartUploads. */
  | 'upload-list'
  /** Content-Length of HEAD. */
  | 'length'
  /** Strong ETags: weak ones guard no download that is taken up again. */
  | 'strong-etag'
  /** Times as S3 writes them. */
  | 'times';

/** In one line each, with what stands in for it. Where that is less, `loses` is said too. */
export const lackTexts: Readonly<Record<Lack, { what: string; instead: string; loses?: string }>> = {
  checksums: { what: 'checksum headers', instead: 'Content-MD5 is sent, and the manifest’s SHA-256 stands' },
  condition: { what: 'If-None-Match', instead: 'it is looked before and behind each write' },
  'object-size': { what: 'x-amz-mp-object-size', instead: 'the length is asked for behind each upload' },
  'upload-list': {
    what: 'ListMultipartUploads',
    instead: 'uploads are ended by whoever began them',
    loses: 'what a killed backup has uploaded stays until a lifecycle rule of the bucket ends it',
  },
  length: { what: 'the length in HEAD', instead: 'the listing is asked' },
  'strong-etag': { what: 'strong ETags', instead: 'what is read is held to the manifest’s SHA-256' },
  times: { what: 'times as S3 writes them', instead: 'they are taken for UTC' },
};

/**
 * Sends a request with all it can carry; where the service refuses its form, once more without one of `extras` at a time,
 * then without any. What has helped is left out from then on. Rejects with the first refusal where nothing helps.
 */
export async function withFallbacks<T>(
  lacks: Set<Lack>,
  extras: readonly Lack[],
  send: (without: ReadonlySet<Lack>) => Promise<T>,
): Promise<T> {
  const rest = extras.filter((extra) => !lacks.has(extra));
  try {
    return await send(lacks);
  } catch (error) {
    if (!isRefusedForm(error)) throw error;
    const attempts = [...rest.map((extra) => [extra]), ...(rest.length > 1 ? [rest] : [])];
    for (const left of attempts) {
      try {
        const result = await send(new Set([...lacks, ...left]));
        for (const extra of left) lacks.add(extra);
        return result;
      } catch (again) {
        if (!isRefusedForm(again)) throw again;
      }
    }
    throw error;
  }
}
