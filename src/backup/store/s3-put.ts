import { randomUUID } from 'node:crypto';
import type { CompletedPart } from '@aws-sdk/client-s3';
import type { S3Calls } from './s3-calls.ts';
import { mostParts, sendParts, type PartPlan } from './send-parts.ts';
import { storeError, type Operation } from './store-error.ts';
import { PassOn } from './until-aborted.ts';

/** Milliseconds for clearing up and for finding out what became of an upload, when the caller's signal has aborted. */
const afterwards = 30_000;

/**
 * Stores one object that must not exist yet. `If-None-Match: *` lets the server see to that; since some ignore it, HEAD
 * looks before the start and before the end as well. What fits one part is one PutObject, more is a multipart upload.
 */
export async function putS3(
  s3: S3Calls,
  what: Operation,
  chunks: AsyncIterable<Uint8Array>,
  { signal, plan }: { signal: AbortSignal; plan: PartPlan },
): Promise<{ bytes: number }> {
  await requireAbsent(s3, what, signal);
  const putId = randomUUID();
  const parts: CompletedPart[] = [];
  let started: Promise<string> | undefined;
  let bytes: number | undefined;
  try {
    const upload = async (number: number, body: Buffer, stop: AbortSignal): Promise<void> => {
      if (number > mostParts)
        throw storeError(what, 'full', `it needs more than the ${mostParts} parts that S3 allows`, {
          hint: 'set repository.part_size higher',
        });
      started ??= s3.startUpload(what, putId, stop);
      parts[number - 1] = await s3.uploadPart(what, { uploadId: await started, number, body }, stop);
    };
    const sent = await sendParts(chunks, signal, upload, plan);
    await requireAbsent(s3, what, signal);
    bytes = sent.bytes;
    if (sent.only !== undefined) await s3.put(what, sent.only, putId, signal);
    else await s3.completeUpload(what, { uploadId: (await started) ?? '', parts, bytes }, signal);
  } catch (error) {
    await abandon(s3, what, started);
    // Before the last request nothing can be there; after it only a look tells whether just the answer was lost.
    if (bytes === undefined || !(await isStored(s3, what, putId)))
      throw error instanceof PassOn ? error.thrown : error;
  }
  return await confirm(s3, what, { putId, bytes });
}

async function requireAbsent(s3: S3Calls, what: Operation, signal: AbortSignal): Promise<void> {
  if ((await s3.head(what, signal)) !== undefined)
    throw storeError(what, 'exists', 'there is an object of that name');
}

/** Ends an upload; if that fails too, `sweep` clears it later. */
async function abandon(s3: S3Calls, what: Operation, started: Promise<string> | undefined): Promise<void> {
  try {
    const uploadId = await started;
    if (uploadId !== undefined) await s3.abortUpload(what, uploadId, AbortSignal.timeout(afterwards));
  } catch {
    // The error that led here matters more.
  }
}

async function isStored(s3: S3Calls, what: Operation, putId: string): Promise<boolean> {
  const found = await s3.head(what, AbortSignal.timeout(afterwards)).catch(() => undefined);
  return found?.putId === putId;
}

/** Compares what is there now with what was sent. */
async function confirm(
  s3: S3Calls,
  what: Operation,
  sent: { putId: string; bytes: number },
): Promise<{ bytes: number }> {
  const signal = AbortSignal.timeout(afterwards);
  // The server has said that it is stored: a HEAD that gets no answer does not undo that.
  const found = await s3.head(what, signal).catch(() => ({ putId: undefined, bytes: sent.bytes }));
  if (found === undefined)
    throw storeError(what, 'unavailable', 'the server took it, and now it is not there', {
      hint: 'does a lifecycle rule or another program remove objects of the bucket?',
    });
  // Somebody wrote the same key at the same time, on a server that ignores If-None-Match.
  if (found.putId !== undefined && found.putId !== sent.putId)
    throw storeError(what, 'exists', 'another writer was faster');
  if (found.bytes !== sent.bytes) {
    await s3.remove(what, signal).catch(() => {});
    throw storeError(what, 'truncated', `${sent.bytes} bytes were sent and ${found.bytes} are there`, {
      hint: 'the S3 service, or a proxy before it, damages uploads',
    });
  }
  return { bytes: sent.bytes };
}
