import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Head, S3Calls } from './s3-calls.ts';
import { storeError, type Operation } from './store-error.ts';

/** Dropped connections in a row after which reading gives up, and the bytes that make one "not in a row". */
const mostDrops = 6;
const progress = 16 * 1024 * 1024;

/** An object's bytes. A dropped connection is taken up again where it broke, as long as the object is the same. */
export async function* readS3(
  s3: S3Calls,
  what: Operation,
  head: Head,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let drops = 0;
  let droppedAt = 0;
  const wrongEnd = (why: string): AgentError =>
    storeError(what, 'truncated', `${why} than its ${head.bytes} bytes`, {
      hint: 'a proxy or the S3 service cuts answers: try again, or read by another way',
    });
  while (offset < head.bytes) {
    const body = await s3.read(what, { offset, etag: head.etag }, signal);
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        offset += chunk.length;
        if (offset > head.bytes) throw wrongEnd('the answer is longer');
        yield chunk;
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof AgentError) throw error;
      drops = offset - droppedAt >= progress ? 1 : drops + 1;
      droppedAt = offset;
      if (drops > mostDrops)
        throw storeError(what, 'unavailable', `the connection breaks again and again: ${messageOf(error)}`, {
          cause: error,
          hint: 'check the network between this host and the S3 service',
        });
      await s3.pause(drops, signal);
      continue;
    } finally {
      body.destroy();
    }
    // A clean end, and yet too early: no broken connection, so asking again would not help.
    if (offset < head.bytes) throw wrongEnd(`the answer ended after ${offset} bytes, earlier`);
  }
}
