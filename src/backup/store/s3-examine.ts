import { randomBytes } from 'node:crypto';
import { hasReason } from '../../domain/errors.ts';
import type { S3Calls } from './s3-calls.ts';
import type { Operation } from './store-error.ts';

/** For clearing up, whatever became of the rest. Milliseconds. */
const afterwards = 30_000;

/** Goes every way that a backup goes, on two small objects, so that what the service lacks is found out. */
export async function examineS3(s3: S3Calls, below: Operation, signal: AbortSignal): Promise<void> {
  const name = `${below.key}/check-${randomBytes(4).toString('hex')}`;
  const body = Buffer.from('redis-agent check\n');
  const one: Operation = { ...below, key: `${name}-one` };
  const parts: Operation = { ...below, key: `${name}-parts` };
  try {
    await s3.put(one, body, 'check', signal);
    await s3.head(one, signal);
    const uploadId = await s3.startUpload(parts, 'check', signal);
    try {
      const part = await s3.uploadPart(parts, { uploadId, number: 1, body }, signal);
      await s3.completeUpload(parts, { uploadId, parts: [part], bytes: body.length }, signal);
    } catch (error) {
      await s3.abortUpload(parts, uploadId, AbortSignal.timeout(afterwards)).catch(() => {});
      throw error;
    }
    for await (const _ of s3.list(below, signal)) break;
    try {
      for await (const _ of s3.uploads(below, signal)) break;
    } catch (error) {
      if (!hasReason(error, 'unsupported')) throw error;
      s3.lacks.add('upload-list');
    }
  } finally {
    for (const what of [one, parts]) await s3.remove(what, AbortSignal.timeout(afterwards)).catch(() => {});
  }
}
