import type { Clock } from '../../domain/clock.ts';
import { AgentError, hasReason } from '../../domain/errors.ts';
import type { Progress } from '../../domain/progress.ts';
import { placeOf } from '../../formats/rdb/rdb-check.ts';
import { RdbError, type RdbHandler, type TokenSink } from '../../formats/rdb/rdb-handler.ts';
import { withoutMarker } from '../../formats/rdb/without-marker.ts';
import { RdbReader } from '../../formats/rdb/rdb-reader.ts';
import { findTwins } from '../../formats/rdb/whole/find-twins.ts';
import { TwinFilter } from '../../formats/rdb/whole/twin-filter.ts';
import { printable } from '../../lib/text/printable.ts';
import { randomWords } from '../../lib/text/random-words.ts';
import { largestRaw } from '../../backup/restore-keys/writer-options.ts';
import type { Flow } from './key-pipe.ts';
import type { KeySource } from './key-source.ts';

/** What is read at once: a compressed value may become many times as much to send. */
const sliceBytes = 256 * 1024;
/** A server takes no longer argument, and so has no longer string. */
const longestString = 512 * 1024 * 1024;

export interface FeedOptions {
  handler: RdbHandler & {
    now: number;
    failure: Error | undefined;
    /** See KeyWriter. */
    leavesOut?(error: RdbError): boolean;
  };
  sink?: TokenSink;
  /** Everything that the handler sends goes here; undefined when it sends nothing. */
  pipe: Flow | undefined;
  phase: string;
  clock: Clock;
  progress: Progress;
  signal: AbortSignal;
  /** Before each part of the dump; may wait. */
  before?(): Promise<void> | undefined;
  /** Is told what is wrong with the dump itself, of which what can be read is read. Else that is an error. */
  onDamage?: ((problem: string) => void) | undefined;
}

/** Reads the whole dump to the handler, no faster than the server answers. Throws the handler's failure, if it has one. */
export async function feedKeys(source: KeySource, options: FeedOptions): Promise<void> {
  const { handler, pipe, onDamage } = options;
  for (;;) {
    try {
      await readToEnd(source, options);
      return;
    } catch (error) {
      if (onDamage === undefined || !(error instanceof AgentError) || error.code !== 'damaged') throw error;
      await pipe?.drain();
      if (handler.failure !== undefined) throw handler.failure;
      const { cause } = error;
      if (cause instanceof RdbError && handler.leavesOut?.(cause) === true) continue;
      onDamage(error.message);
      return;
    }
  }
}

async function readToEnd(source: KeySource, options: FeedOptions): Promise<void> {
  const { handler, sink, pipe, phase, clock, progress, signal } = options;
  const limits = {
    keyLimit: longestString,
    stringLimit: longestString,
    rawLimit: largestRaw,
    textLimit: largestRaw,
  };
  // Values of a second reading were looked at in the first.
  const twins = phase === 'building' ? undefined : new TwinFilter(randomWords(), source.bytes);
  const reader = new RdbReader(twins === undefined ? handler : watched(handler, twins), {
    ...limits,
    ...(sink && { sink }),
    lenient: options.onDamage !== undefined,
  });
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
    if (handler.failure !== undefined) throw handler.failure;
    await refuseTwins(source, twins, signal);
  } catch (error) {
    if (error instanceof RdbError) throw unreadable(source, error);
    // The target has a key already that the dump itself has brought: then that is what is wrong.
    if (hasReason(error, 'exists'))
      await refuseTwins(source, twins, signal).catch((twice: unknown) => {
        throw twice instanceof RdbError ? unreadable(source, twice) : error;
      });
    throw error;
  }
}

function unreadable(source: KeySource, error: RdbError): AgentError {
  return new AgentError('damaged', `${source.name} cannot be read: ${printable(placeOf(error))}`, {
    cause: error,
    hint:
      error.kind === 'unknown'
        ? 'is there a newer redis-agent?'
        : 'redis-agent rdb check tells more; --skip-damaged writes what is sound of it, and names what is not',
  });
}

/** Throws an RdbError where a key stands in the dump twice. Reads it once more only where that may be. */
async function refuseTwins(
  source: KeySource,
  twins: TwinFilter | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (twins === undefined || !source.again) return;
  const again = async (): Promise<AsyncIterable<Uint8Array>> => withoutMarker(source.open(signal));
  await findTwins(twins, again, longestString);
}

/** The same handler; every key is noted that may be there twice. */
function watched(handler: RdbHandler, twins: TwinFilter): RdbHandler {
  return {
    start: (version) => handler.start?.(version),
    aux: (name, value) => handler.aux?.(name, value),
    database: (database) => handler.database?.(database),
    size: (keys, expires) => handler.size?.(keys, expires),
    functions: (code, bytes) => handler.functions?.(code, bytes),
    moduleAux: (module) => handler.moduleAux?.(module),
    wish: (record) => handler.wish?.(record) ?? 'skip',
    record(record, raw) {
      twins.add(record.database, record.bytes, record.keyFrom, record.keyTo);
      handler.record?.(record, raw);
    },
  };
}
