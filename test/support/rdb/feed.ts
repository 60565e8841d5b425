/** In one buffer that is overwritten after each chunk: who keeps one finds garbage. */
export function feed(
  reader: { update(chunk: Uint8Array): void },
  bytes: Uint8Array,
  chunks: readonly number[],
): void {
  const buffer = Buffer.alloc(Math.min(bytes.length, Math.max(1, ...chunks)));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const part = bytes.subarray(at, at + Math.max(1, chunks[turn % chunks.length] ?? 1));
    buffer.set(part);
    reader.update(buffer.subarray(0, part.length));
    buffer.fill(0xee, 0, part.length);
    at += part.length;
  }
}
