import { decompressLzfPrefix } from './lzf.ts';
import { countEntries, countEveryEntry, headBytes } from './packed/packed.ts';
import type { ValueType } from './value-types.ts';

/** One buffer for the heads of all packed values: each is looked at before the next is made. */
const head = new Uint8Array(headBytes);

/** The first plain bytes of a compressed packed value; valid until the next call. */
export function decompressHead(compressed: Uint8Array, plain: number): Uint8Array {
  const target = plain < headBytes ? head.subarray(0, plain) : head;
  return head.subarray(0, decompressLzfPrefix(compressed, target));
}

/** Elements of a packed value by its first bytes; undefined when they do not tell. */
export function countByHead({ packing, entries }: ValueType, bytes: Uint8Array): number | undefined {
  const count = packing === undefined ? 0 : countEntries(packing, bytes);
  return count === undefined ? undefined : Math.floor(count / entries);
}

/** Elements of a whole packed value. Throws an RdbError where all of it has to be read for that, and is damaged. */
export function countElements(type: ValueType, bytes: Uint8Array): number {
  const { packing, entries } = type;
  if (packing === undefined) return 0;
  return (
    countByHead(type, bytes.subarray(0, headBytes)) ?? Math.floor(countEveryEntry(packing, bytes) / entries)
  );
}
