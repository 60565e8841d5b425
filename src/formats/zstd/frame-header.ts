/** What a zstd frame says about itself before its first block (RFC 8878, 3.1.1.1). */
export interface FrameHeader {
  /** Length of the decoded frame, where the encoder knew it. */
  contentBytes: number | undefined;
  windowBytes: number;
  hasChecksum: boolean;
  hasDictionary: boolean;
}

export const frameMagic = 0xfd2fb528;

/** Do these bytes begin like a zstd file? What pzstd writes begins with a skippable frame. */
export function isZstd(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return magic === frameMagic || isSkippableMagic(magic);
}

/** By the two bits of the descriptor that choose them. */
const contentSizeBytes = [0, 2, 4, 8];
const dictionaryIdBytes = [0, 1, 2, 4];

/** 0x184d2a50 to 0x184d2a5f. */
export function isSkippableMagic(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}

/** Length of the header without the magic, the descriptor byte included. */
export function headerBytes(descriptor: number): number {
  const single = isSingleSegment(descriptor);
  return 1 + (single ? 0 : 1) + dictionaryIdBytes[descriptor & 3]! + contentSizeLength(descriptor);
}

/** `header`: without the magic, of the length that headerBytes tells. undefined when it uses reserved bits. */
export function parseHeader(header: Uint8Array): FrameHeader | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const descriptor = view.getUint8(0);
  if ((descriptor & 0x08) !== 0) return undefined;
  const contentLength = contentSizeLength(descriptor);
  const contentBytes = contentSize(header.subarray(header.length - contentLength));
  return {
    contentBytes,
    windowBytes: isSingleSegment(descriptor) ? (contentBytes ?? 0) : windowSize(view.getUint8(1)),
    hasChecksum: (descriptor & 0x04) !== 0,
    hasDictionary: (descriptor & 3) !== 0,
  };
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0;
}

function contentSizeLength(descriptor: number): number {
  const length = contentSizeBytes[descriptor >> 6]!;
  return length === 0 && isSingleSegment(descriptor) ? 1 : length;
}

/** Little endian; the form of two bytes starts at 256. */
function contentSize(field: Uint8Array): number | undefined {
  if (field.length === 0) return undefined;
  return field.reduceRight((sum, byte) => sum * 256 + byte, 0) + (field.length === 2 ? 256 : 0);
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
