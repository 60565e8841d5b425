import { AgentError } from '../../domain/errors.ts';
import type { CompressionSettings } from '../../domain/settings.ts';
import { compressFrame, frameBytes } from '../../formats/zstd/compress.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import { limit } from '../../lib/limit.ts';
import type { ReadAt } from '../../lib/files/read-at.ts';
import { expectReleases, releaseMemory } from '../../lib/memory/release-memory.ts';

/** A finished dump, open for reading, or an archive of files that are. Nothing here closes it. */
export interface ArtefactSource {
  handle: ReadAt;
  /** Its length; only so much is read. */
  bytes: number;
}

export interface BlockOptions {
  compression: CompressionSettings;
  signal: AbortSignal;
  /** Sees every block once, in order, while others are being compressed or written. It must not keep or change it. */
  onBlock: (block: Uint8Array) => void;
}

/**
 * libuv's pool has four threads: two compress, which is what two cores can do beside the hashing on this thread, and
 * two are left to read and to write with.
 */
const compressedAtATime = 2;
/** Those two, two that are read and hashed and start the moment that one ends, and one whose frame is being written. */
const blocksInMemory = 5;

/** Blocks and frames leave in pieces: what is hashed is still in the cache when it is written, which halves the kernel's time. */
const pieceBytes = 512 * 1024;

/**
 * Compresses a file into independent zstd frames, in order, or gives its blocks as they are, in memory that does not depend
 * on its size. Yields them in pieces, each valid until the next one is asked for.
 *
 * Throws AgentError `damaged` when the file is shorter than it was; the signal's reason when it aborts. When it has
 * ended, however it did, nothing reads the handle any more.
 */
export async function* readBlocks(
  source: ArtefactSource,
  { compression, signal, onBlock }: BlockOptions,
): AsyncGenerator<Uint8Array, void, void> {
  expectReleases();
  const size = Math.min(frameBytes, source.bytes);
  const idle = Array.from({ length: blocksInMemory }, () => Buffer.allocUnsafeSlow(size));
  const started: { buffer: Buffer<ArrayBuffer>; frame: Promise<Uint8Array> }[] = [];
  const compress = limit(compressedAtATime);
  const code = async (block: Uint8Array): Promise<Uint8Array> =>
    compression === 'none' ? block : await compress(() => compressFrame(block, compression.zstd));
  let offset = 0;
  let end = source.bytes;

  /** Reads, starts and shows blocks while there are buffers. Runs beside the consumer: it may well be writing. */
  async function fill(): Promise<void> {
    while (offset < end) {
      const buffer = idle.pop();
      if (buffer === undefined) return;
      signal.throwIfAborted();
      const block = buffer.subarray(0, source.bytes - offset);
      await readWhole(source, block, offset);
      offset += block.length;
      started.push({ buffer, frame: awaitLater(code(block)) });
      onBlock(block);
    }
  }

  let filling = awaitLater(fill());
  try {
    for (;;) {
      if (started.length === 0) await filling;
      signal.throwIfAborted();
      const oldest = started[0];
      if (oldest === undefined) return;
      const frame = await oldest.frame;
      started.shift();
      const asIs = frame.buffer === oldest.buffer.buffer;
      if (!asIs) idle.push(oldest.buffer);
      filling = awaitLater(filling.then(fill));
      for (let at = 0; at < frame.length; at += pieceBytes) yield frame.subarray(at, at + pieceBytes);
      if (asIs) idle.push(oldest.buffer);
      else releaseMemory(frame);
    }
  } finally {
    // The pool works on our buffers and the handle: do not leave before it has let go of them.
    end = 0;
    await Promise.allSettled([filling]);
    await Promise.allSettled(started.map(({ frame }) => frame));
  }
}

async function readWhole(
  { handle, bytes }: ArtefactSource,
  block: Buffer<ArrayBuffer>,
  offset: number,
): Promise<void> {
  for (let filled = 0; filled < block.length;) {
    const { bytesRead } = await handle.read(block, filled, block.length - filled, offset + filled);
    if (bytesRead === 0) {
      const text = `the dump ends after ${offset + filled} bytes, and had ${bytes} when it was opened`;
      throw new AgentError('damaged', text, {
        reason: 'truncated',
        hint: 'something changes the dump in place, which a server never does: find out what, and back up again',
      });
    }
    filled += bytesRead;
  }
}
