/**
 * Gives a buffer's memory back now and leaves it empty, instead of when the garbage collector comes by: megabytes that
 * are made at disk speed would otherwise pile up. For buffers with memory of their own that nobody else still uses;
 * small ones, which share Node's pool, are left alone.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}
