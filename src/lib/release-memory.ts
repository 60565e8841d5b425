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
