/**
 * Gives a buffer's memory back now and leaves it empty, instead of when the garbage collector comes by: megabytes that
 * are made at disk speed would otherwise pile up. For buffers that nobody else still uses; one that shares Node's pool
 * is left alone.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const own = bytes.byteLength === buffer.byteLength || buffer.byteLength > Buffer.poolSize;
  if (own && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Before the first work of a kind that releases memory: V8 compiles code that reads typed arrays for a process in which
 * none is ever taken away, and throws all of it away at the first that is. In the midst of a backup that costs 0.05 s of
 * compiling again; before it, nothing.
 */
export function expectReleases(): void {
  releaseMemory(new Uint8Array(1));
}
