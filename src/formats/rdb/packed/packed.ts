import type { Packing } from '../value-types.ts';
import { IntsetReader } from './intset.ts';
import { ListpackReader } from './listpack.ts';
import type { PackedReader } from './packed-reader.ts';
import { ZipmapReader } from './zipmap.ts';
import { ZiplistReader } from './ziplist.ts';

/** The first bytes of a packed value that are enough for `countEntries`. */
export const headBytes = 10;

const unknown = 0xffff;

/** Of each packing: the entries by the header, which `length` bytes from there on begin with. */
const counters: Record<Packing, (bytes: Uint8Array, from: number, length: number) => number | undefined> = {
  listpack: (bytes, from, length) => (length < 6 ? undefined : known(uint16(bytes, from + 4))),
  ziplist: (bytes, from, length) => (length < 10 ? undefined : known(uint16(bytes, from + 8))),
  intset: (bytes, from, length) =>
    length < 8 ? undefined : uint16(bytes, from + 4) + uint16(bytes, from + 6) * 2 ** 16,
  zipmap: (bytes, from, length) => (length < 1 || (bytes[from] ?? 0) === 254 ? undefined : bytes[from]! * 2),
};

/**
 * How many entries a packed value has by its header, which bytes[from … to) begin with (`headBytes` are enough); a
 * zipmap's pairs are two entries each. Undefined where the header does not tell.
 */
export function countEntries(
  packing: Packing,
  bytes: Uint8Array,
  from = 0,
  to = bytes.length,
): number | undefined {
  return counters[packing](bytes, from, to - from);
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function known(count: number): number | undefined {
  return count === unknown ? undefined : count;
}

const readers: Record<Packing, new () => PackedReader> = {
  listpack: ListpackReader,
  ziplist: ZiplistReader,
  intset: IntsetReader,
  zipmap: ZipmapReader,
};

/** A new reader for that packing. */
export function packedReader(packing: Packing): PackedReader {
  return new readers[packing]();
}

/** How many entries a packed value has, by reading all of it. Throws RdbError on any damage. */
export function countEveryEntry(packing: Packing, bytes: Uint8Array): number {
  const reader = packedReader(packing);
  reader.open(bytes);
  let count = 0;
  while (reader.next()) count++;
  return count;
}
