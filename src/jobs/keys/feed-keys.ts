import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/progress.ts';
import { placeOf } from '../../formats/rdb/rdb-check.ts';
import { RdbError, type RdbHandler, type TokenSink } from '../../formats/rdb/rdb-handler.ts';
import { withoutMarker } from '../../formats/rdb/without-marker.ts';
import { RdbReader } from '../../formats/rdb/rdb-reader.ts';
import { printable } from '../../lib/printable.ts';
import { largestRaw } from '../../backup/restore-keys/writer-options.ts';
import type { Pipe } from '../../redis/pipe.ts';
import type { KeySource } from './key-source.ts';

/** What is read at once: a compressed value may become many times as much to send. */
const sliceBytes = 256 * 1024;
/** A server takes no longer argument, and so has no longer string. */
const longestString = 512 * 1024 * 1024;

export interface FeedOptions {
  handler: RdbHandler & { now: number; failure: Error | undefined };
  sink?: TokenSink;
  /** Everything that the handler sends goes here; undefined when it sends nothing. */
  pipe: Pipe | undefined;
  phase: string;
  clock: Clock;
  progress: Progress;
  signal: AbortSignal;
  /** Before each part of the dump; may wait. */
  before?(): Promise<void> | undefined;
}

/** Reads the whole dump to the handler, no faster than the server answers. Throws the handler's failure, if it has one. */
export async function feedKeys(source: KeySource, options: FeedOptions): Promise<void> {
  const { handler, sink, pipe, phase, clock, progress, signal } = options;
  const limits = { keyLimit: longestString, stringLimit: longestString, rawLimit: largestRaw };
  const reader = new RdbReader(handler, { ...limits, ...(sink && { sink }) });
  let done = 0;
  const total = source.bytes;
  try {
    for await (const chunk of withoutMarker(source.open(signal))) {
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        handler.now = clock.now();
        await options.before?.();
        reader.update(chunk.subarray(at, at + sliceBytes));
        if (pipe?.full === true) await pipe.ready();
        if (handler.failure !== undefined) throw handler.failure;
        signal.throwIfAborted();
        done += Math.min(sliceBytes, chunk.length - at);
        progress.report({ phase, done, unit: 'bytes', ...(total === undefined ? {} : { total }) });
      }
    }
    reader.finish();
    await pipe?.drain();
  } catch (error) {
    if (error instanceof RdbError)
      throw new AgentError('damaged', `${source.name} cannot be read: ${printable(placeOf(error))}`, {
        hint: error.kind === 'unknown' ? 'is there a newer redis-agent?' : 'redis-agent rdb check tells more',
      });
    throw error;
  }
  if (handler.failure !== undefined) throw handler.failure;
}
