import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createZstdDecompress, zstdDecompress } from 'node:zlib';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import { expectReleases, releaseMemory } from '../../lib/memory/release-memory.ts';
import { zstdFrames, type ZstdFrame } from './frames.ts';

const decompressWhole = promisify(zstdDecompress);

/** Frames that are decoded at the same time, on libuv's pool. */
const parallel = 2;

/**
 * Decodes a zstd stream of any number of frames, in order. Bounded memory: frames of up to 8 MiB are decoded two at a
 * time, longer ones as streams. A chunk, coming or going, is valid until the next one is asked for.
 *
 * Throws AgentError `damaged` with the offset of what is cut off, is no zstd or fails its checksum; the signal's
 * reason when it aborts. Leaves no work behind when the consumer leaves early.
 */
export async function* decompressZstd(
  chunks: AsyncIterable<Uint8Array>,
  options: { signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  expectReleases();
  const inFlight: Promise<Uint8Array>[] = [];
  try {
    for await (const frame of zstdFrames(chunks)) {
      options.signal.throwIfAborted();
      if ('whole' in frame) {
        inFlight.push(awaitLater(decodeWhole(frame)));
        if (inFlight.length > parallel) yield* lent(await inFlight.shift()!);
      } else {
        while (inFlight.length > 0) yield* lent(await inFlight.shift()!);
        yield* decodeParts(frame, options.signal);
      }
    }
    while (inFlight.length > 0) yield* lent(await inFlight.shift()!);
  } finally {
    await Promise.allSettled(inFlight);
  }
}

function* lent(chunk: Uint8Array): Generator<Uint8Array, void, void> {
  yield chunk;
  releaseMemory(chunk);
}

async function decodeWhole(frame: ZstdFrame & { whole: Uint8Array }): Promise<Uint8Array> {
  const contentBytes = frame.contentBytes ?? 0;
  // One byte of room more than needed, or Node would ask for another buffer of this size to see the end.
  const room = Math.max(64, contentBytes + 1);
  let plain;
  try {
    plain = await decompressWhole(frame.whole, { chunkSize: room, maxOutputLength: room });
  } catch (error) {
    throw fromZlib(error) ? undecodable(frame, error) : error;
  }
  releaseMemory(frame.whole);
  if (plain.length !== contentBytes) throw undecodable(frame, 'its length is not what it says');
  return plain;
}

async function* decodeParts(
  frame: ZstdFrame & { parts: AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = createZstdDecompress({ chunkSize: 2 ** 20 });
  const done = awaitLater(pipeline(Readable.from(frame.parts, { objectMode: false }), decoder, { signal }));
  let bytes = 0;
  try {
    const output: AsyncIterable<Uint8Array> = decoder;
    for await (const chunk of output) {
      bytes += chunk.length;
      yield chunk;
    }
    await done;
  } catch (error) {
    signal.throwIfAborted();
    throw fromZlib(error) ? undecodable(frame, error) : error;
  } finally {
    decoder.destroy();
    await done.catch(() => {});
  }
  if (frame.contentBytes !== undefined && bytes !== frame.contentBytes) {
    throw undecodable(frame, 'its length is not what it says');
  }
}

function fromZlib(error: unknown): boolean {
  const code = systemCode(error);
  return code !== undefined && (code.startsWith('ZSTD_') || code === 'ERR_BUFFER_TOO_LARGE');
}

function undecodable(frame: ZstdFrame, cause: unknown): AgentError {
  const text = `byte ${frame.offset}: the zstd frame here cannot be decoded: ${messageOf(cause)}`;
  return new AgentError('damaged', text, { reason: 'corrupt', cause });
}
