/** What is read at any place: an open file, or what is like one. As FileHandle.read. */
export interface ReadAt {
  read(
    buffer: Buffer<ArrayBuffer>,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
}
