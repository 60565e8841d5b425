import { ByteReader } from '../byte-reader.ts';

/**
 * One message on a byte stream between two processes: `head` is JSON, and bytes may come with it. On the stream: the length
 * of the JSON and that of the bytes (each 32 bits, big endian), then both.
 */
export interface Frame {
  head: unknown;
  bytes: Uint8Array | undefined;
}

/** Bytes of JSON, and bytes beside it, that are read at most: what is longer was not written by us. */
export interface FrameLimits {
  head: number;
  bytes: number;
}

const prefix = 8;
/** In the place of a length: no bytes, which is not the same as none of them. */
const absent = 0xff_ff_ff_ff;

/** As it is written; `bytes` is not copied. */
export function encodeFrame({ head, bytes }: Frame): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head), 'utf8');
  const start = Buffer.alloc(prefix);
  start.writeUInt32BE(json.length, 0);
  start.writeUInt32BE(bytes?.length ?? absent, 4);
  return [start, json, ...(bytes === undefined || bytes.length === 0 ? [] : [bytes])];
}

/** Messages until the stream ends. Throws where it ends within one, or one is not what it should be. */
export async function* readFrames(
  stream: AsyncIterable<Uint8Array>,
  limits: FrameLimits,
): AsyncGenerator<Frame, void, void> {
  const reader = new ByteReader(stream);
  const start = Buffer.alloc(prefix);
  try {
    for (;;) {
      const got = await reader.read(start);
      if (got === 0) return;
      requireWhole(got, prefix);
      const head = await part(reader, start.readUInt32BE(0), limits.head);
      const length = start.readUInt32BE(4);
      const bytes = length === absent ? undefined : await part(reader, length, limits.bytes);
      yield { head: JSON.parse(Buffer.from(head.buffer, 0, head.length).toString('utf8')), bytes };
    }
  } finally {
    await reader.close();
  }
}

async function part(reader: ByteReader, length: number, limit: number): Promise<Uint8Array> {
  if (length > limit) throw new Error(`a message of ${length} bytes, more than ${limit}`);
  const bytes = Buffer.allocUnsafeSlow(length);
  requireWhole(await reader.read(bytes), length);
  return bytes;
}

function requireWhole(got: number, wanted: number): void {
  if (got < wanted) throw new Error(`the stream ends within a message, after ${got} of ${wanted} bytes`);
}
