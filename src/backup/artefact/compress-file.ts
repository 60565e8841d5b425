import type { FileHandle } from 'node:fs/promises';
import { AgentError } from '../../domain/errors.ts';
import { compressFrame, frameBytes } from '../../formats/zstd/compress.ts';
import { awaitLater } from '../../lib/await-later.ts';
import { releaseMemory } from '../../lib/release-memory.ts';

/** A finished dump, open for reading. Nothing here closes it. */
export interface ArtefactSource {
  handle: FileHandle;
  /** Its length; only so much is read. */
  bytes: number;
}

export interface CompressOptions {
  /** 1..19 */
  level: number;
  signal: AbortSignal;
  /** Sees every block once, in order, while others are being compressed. It must not keep or change it. */
  onBlock: (block: Uint8Array) => void;
}

/**
 * Blocks in memory at a time. Three, for two cores: while this thread hashes one, or its consumer writes a frame, two
 * are being compressed. libuv's pool of four has a thread left to read and write with.
 */
const blocksInMemory = 3;

/**
 * Compresses a file into independent zstd frames, in order, in memory that does not depend on its size. A frame is
 * valid until the next one is asked for.
 *
 * Throws AgentError `damaged` when the file is shorter than it was; the signal's reason when it aborts. When it has
 * ended, however it did, nothing reads the handle any more.
 */
export async function* compressFile(
  source: ArtefactSource,
  { level, signal, onBlock }: CompressOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const size = Math.min(frameBytes, source.bytes);
  const idle = Array.from({ length: blocksInMemory }, () => Buffer.allocUnsafeSlow(size));
  const inFlight: { buffer: Buffer<ArrayBuffer>; frame: Promise<Uint8Array> }[] = [];
  try {
    for (let offset = 0; offset < source.bytes || inFlight.length > 0;) {
      signal.throwIfAborted();
      const buffer = offset < source.bytes ? idle.pop() : undefined;
      if (buffer !== undefined) {
        const block = buffer.subarray(0, source.bytes - offset);
        await readWhole(source, block, offset);
        inFlight.push({ buffer, frame: awaitLater(compressFrame(block, level)) });
        offset += block.length;
        onBlock(block);
        continue;
      }
      const oldest = inFlight[0]!;
      const frame = await oldest.frame;
      idle.push(oldest.buffer);
      inFlight.shift();
      yield frame;
      releaseMemory(frame);
    }
  } finally {
    // The pool works on our buffers: do not leave before it has let go of them.
    await Promise.allSettled(inFlight.map(({ frame }) => frame));
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
