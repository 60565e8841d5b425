/** Yields `bytes` in chunks of `size`, each in the same buffer as the one before: who keeps a chunk finds garbage. */
export async function* inChunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(Math.min(size, bytes.length));
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0xee);
  }
}

/** Everything that a stream yields, in one buffer; each chunk is copied at once. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}
