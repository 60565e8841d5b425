import { AgentError } from '../../domain/errors.ts';
import { ByteReader } from '../../lib/byte-reader.ts';
import { releaseMemory } from '../../lib/memory/release-memory.ts';
import { frameMagic, headerBytes, isSkippableMagic, parseHeader, type FrameHeader } from './frame-header.ts';

/** One frame of a zstd stream. Its checksum and compressed content are for a decoder to check. */
export type ZstdFrame = { offset: number; contentBytes: number | undefined } & (
  | { whole: Uint8Array }
  /** Too long or of unknown length to be kept in memory: read it to its end before you ask for the next frame. */
  | { parts: AsyncIterable<Uint8Array> }
);

/** Frames that say to hold no more than this are handed out whole. */
const wholeFrameBytes = 8 * 2 ** 20;
/** As `zstd -d`: what may be needed to decode a frame. */
const windowLimit = 128 * 2 ** 20;
const blockLimit = 128 * 1024;

/**
 * Cuts a stream into its zstd frames, whatever the chunks; skippable frames are passed over. It exists because
 * Node's streaming decoder stops at the end of the first frame and ends without an error where a frame is cut off.
 * Reads no further than asked and holds at most one frame of 8 MiB.
 *
 * Throws AgentError `damaged` with the offset where the stream is cut off or is no zstd.
 */
export async function* zstdFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ZstdFrame, void, void> {
  const reader = new ByteReader(chunks);
  try {
    for (;;) {
      const offset = reader.offset;
      const start = new Uint8Array(4);
      const got = await reader.read(start);
      if (got === 0) return;
      if (got < 4) throw truncated(reader, offset);
      const magic = new DataView(start.buffer).getUint32(0, true);
      if (magic === frameMagic) {
        yield await readFrame(reader, offset, start);
      } else if (isSkippableMagic(magic)) {
        await skipFrame(reader, offset);
      } else {
        throw damaged(offset, offset === 0 ? 'this is no zstd file' : 'no zstd frame starts here');
      }
    }
  } finally {
    await reader.close();
  }
}

async function skipFrame(reader: ByteReader, offset: number): Promise<void> {
  const length = new DataView(await exactly(reader, offset, 4)).getUint32(0, true);
  if ((await reader.skip(length)) < length) throw truncated(reader, offset);
}

async function readFrame(reader: ByteReader, offset: number, magic: Uint8Array): Promise<ZstdFrame> {
  const descriptor = new Uint8Array(await exactly(reader, offset, 1));
  const rest = new Uint8Array(await exactly(reader, offset, headerBytes(descriptor[0]!) - 1));
  const bytes = Buffer.concat([magic, descriptor, rest]);
  const header = parseHeader(bytes.subarray(4));
  if (header === undefined) throw damaged(offset, 'the zstd frame here has a header of an unknown kind');
  if (header.hasDictionary) throw damaged(offset, 'the zstd frame here needs a dictionary');
  if (header.windowBytes > windowLimit && (header.contentBytes ?? Infinity) > wholeFrameBytes) {
    throw damaged(offset, `the zstd frame here needs ${header.windowBytes} bytes of memory to decode`);
  }
  const { contentBytes } = header;
  const parts = frameParts(reader, offset, bytes, header);
  if (contentBytes === undefined || contentBytes > wholeFrameBytes) return { offset, contentBytes, parts };
  return { offset, contentBytes, whole: await joined(parts, offset, contentBytes) };
}

/** The frame's bytes: its header, then each block with its header, then its checksum. */
async function* frameParts(
  reader: ByteReader,
  offset: number,
  start: Uint8Array,
  header: FrameHeader,
): AsyncGenerator<Uint8Array, void, void> {
  yield start;
  for (let last = false; !last;) {
    const blockOffset = reader.offset;
    const blockHeader = new Uint8Array(await exactly(reader, offset, 3));
    const bits = blockHeader[0]! | (blockHeader[1]! << 8) | (blockHeader[2]! << 16);
    last = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === 3 || size > blockLimit) {
      throw damaged(blockOffset, `the zstd frame that starts at byte ${offset} has no valid block here`);
    }
    yield blockHeader;
    const runLength = 1; // a block of one repeated byte stores that byte only
    yield new Uint8Array(await exactly(reader, offset, type === runLength ? 1 : size));
  }
  if (header.hasChecksum) yield new Uint8Array(await exactly(reader, offset, 4));
}

/** All parts in one buffer, bounded by what a frame of so much content can need. */
async function joined(
  parts: AsyncIterable<Uint8Array>,
  offset: number,
  contentBytes: number,
): Promise<Uint8Array> {
  const limit = 2 * contentBytes + 65_536;
  let buffer = Buffer.allocUnsafe(contentBytes + (contentBytes >> 8) + 256);
  let length = 0;
  for await (const part of parts) {
    if (length + part.length > limit)
      throw damaged(offset, 'the zstd frame here is longer than its content needs');
    if (length + part.length > buffer.length) buffer = Buffer.concat([buffer], limit);
    buffer.set(part, length);
    length += part.length;
    releaseMemory(part);
  }
  return buffer.subarray(0, length);
}

async function exactly(reader: ByteReader, offset: number, bytes: number): Promise<ArrayBuffer> {
  const target = new Uint8Array(bytes);
  if ((await reader.read(target)) < bytes) throw truncated(reader, offset);
  return target.buffer;
}

function truncated(reader: ByteReader, offset: number): AgentError {
  const text = `it ends at byte ${reader.offset}, inside the zstd frame that starts at byte ${offset}`;
  return new AgentError('damaged', text, { reason: 'truncated' });
}

function damaged(offset: number, problem: string): AgentError {
  return new AgentError('damaged', `byte ${offset}: ${problem}`, { reason: 'corrupt' });
}
