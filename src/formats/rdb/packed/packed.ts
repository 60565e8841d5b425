import type { Packing } from '../value-types.ts';
import { IntsetReader } from './intset.ts';
import { ListpackReader } from './listpack.ts';
import type { PackedReader } from './packed-reader.ts';
import { ZipmapReader } from './zipmap.ts';
import { ZiplistReader } from './ziplist.ts';

/** The first bytes of a packed value that are enough for `countEntries`. */
export const headBytes = 10;

const unknown = 0xffff;

/** Of each packing: the entries by the header, or undefined. */
const counters: Record<Packing, (head: DataView) => number | undefined> = {
  listpack: (head) => (head.byteLength < 6 ? undefined : known(head.getUint16(4, true))),
  ziplist: (head) => (head.byteLength < 10 ? undefined : known(head.getUint16(8, true))),
  intset: (head) => (head.byteLength < 8 ? undefined : head.getUint32(4, true)),
  zipmap: (head) => (head.byteLength < 1 || head.getUint8(0) >= 254 ? undefined : head.getUint8(0) * 2),
};

function known(count: number): number | undefined {
  return count === unknown ? undefined : count;
}

/**
 * How many entries a packed value has by its header, of which `head` is the start (`headBytes` are enough); a
 * zipmap's pairs are two entries each. Undefined where the header does not tell.
 */
export function countEntries(packing: Packing, head: Uint8Array): number | undefined {
  return counters[packing](new DataView(head.buffer, head.byteOffset, head.length));
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
