/**
 * The same bytes in blocks of that length, the last one shorter: what comes in small chunks costs no call for each, and what
 * comes in large ones is bounded. What is long enough is passed on uncopied. A block is valid until the next one is asked
 * for, and a chunk need not be valid for longer.
 */
export async function* gatherChunks(
  chunks: AsyncIterable<Uint8Array>,
  blockBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let block: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + blockBytes - filled);
      at += part.length;
      if (part.length === blockBytes) {
        yield part;
        continue;
      }
      block ??= new Uint8Array(blockBytes);
      block.set(part, filled);
      filled += part.length;
      if (filled < blockBytes) continue;
      yield block;
      filled = 0;
    }
  }
  if (block !== undefined && filled > 0) yield block.subarray(0, filled);
}
