/** What `redis-cli --rdb -` writes behind a dump that the server sent without a disk in between: a random name in hex. */
const markerBytes = 40;

/**
 * Passes the chunks on, but for a replication marker at their end. No RDB ends like one: its last bytes are an end opcode,
 * which is no letter, and a checksum.
 */
export async function* withoutMarker(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // What may turn out to be the marker is held back; a chunk's own memory may be used again by then.
  let held = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (chunk.length > markerBytes) {
      yield held;
      yield chunk.subarray(0, -markerBytes);
      held = Buffer.from(chunk.subarray(-markerBytes));
    } else {
      const joined = Buffer.concat([held, chunk]);
      yield joined.subarray(0, Math.max(0, joined.length - markerBytes));
      held = joined.subarray(-markerBytes);
    }
  }
  if (!/^[0-9a-f]{40}$/.test(held.toString('latin1'))) yield held;
}
