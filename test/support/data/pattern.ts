import { createHash } from 'node:crypto';

/** Deterministic bytes that do not repeat within a part: a xorshift stream from `seed`. */
function fillPattern(target: Uint8Array, seed: number): number {
  let state = seed === 0 ? 1 : seed;
  const words = new Uint32Array(target.buffer, target.byteOffset, target.byteLength >> 2);
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return state;
}

/**
 * `total` pattern bytes in chunks of `chunk` bytes (a multiple of four), all in one buffer that is overwritten when the
 * next chunk is asked for: whoever keeps a chunk reads garbage. `seen` gets every chunk first.
 */
export async function* patternChunks(
  total: number,
  chunk = 1024 * 1024,
  seen: (bytes: Uint8Array) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunk);
  let seed = 20_261_121;
  for (let left = total; left > 0; left -= chunk) {
    seed = fillPattern(buffer, seed);
    const bytes = buffer.subarray(0, Math.min(left, chunk));
    seen(bytes);
    yield bytes;
    buffer.fill(0xee);
  }
}

/** SHA-256 (hex) and length of chunks, read to the end. */
export async function digestOf(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
