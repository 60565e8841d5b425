import { constants, createZstdCompress } from 'node:zlib';

/** Plain bytes of a frame: long enough to cost 0.1 % in size, short enough that a few are made at a time. */
export const frameBytes = 4 * 2 ** 20;

/**
 * Level 1 looks for matches of seven bytes in a table of 64 KiB, which leaves little of a core's first cache to the data.
 * Matches of six in half of that table take 5 to 9 % less time for dumps, which then are 1.4 % smaller (uncompressed
 * strings), 0.5 % smaller (a mixed data set) or 0.7 % larger (ten million small keys).
 */
const fastest = { [constants.ZSTD_c_minMatch]: 6, [constants.ZSTD_c_hashLog]: 13 };

/** ZSTD_COMPRESSBOUND of zstd.h, and never less. */
function bound(bytes: number): number {
  return bytes + (bytes >> 8) + 1024;
}

/**
 * Compresses one block into one independent frame that says its content's length and has a checksum, on libuv's
 * pool. `block` must stay as it is until then. The frame's memory is the caller's alone.
 *
 * By a stream that gets all of it in one write that ends the frame: then zstd works from our buffer straight into
 * the output. Node's one-shot zstdCompress feeds it piecemeal, which costs a fifth more time, leaves the length out
 * and keeps its tables until they are garbage-collected. (`ZSTD_c_nbWorkers` is no way out: it truncates.)
 */
export function compressFrame(block: Uint8Array, level: number): Promise<Uint8Array> {
  const encoder = createZstdCompress({
    flush: constants.ZSTD_e_end,
    chunkSize: bound(block.length),
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: 1,
      ...(level === 1 ? fastest : {}),
    },
  });
  const made: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  encoder.on('error', reject);
  encoder.on('data', (chunk: Buffer) => made.push(chunk));
  encoder.write(block, (error) => {
    if (error) return reject(error);
    // Never ended: that would add an empty frame.
    encoder.destroy();
    resolve(made.length === 1 ? made[0]! : Buffer.concat(made));
  });
  return promise;
}
