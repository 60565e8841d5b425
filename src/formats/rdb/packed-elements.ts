import { decompressLzfPrefix } from './lzf.ts';
import { countEntries, countEveryEntry, headBytes } from './packed/packed.ts';
import { RdbError } from './rdb-handler.ts';
import type { Packing, ValueType } from './value-types.ts';

/** One buffer for the heads of all compressed values: each is looked at before the next is made. */
const head = new Uint8Array(headBytes);
/** How many compressed bytes a head is in at most: a literal run has one control byte for up to 32 of them. */
const compressedHead = 2 * headBytes;

/** How many of the bytes in the file are enough for `countByHead`. */
export function headOf(stored: number, compressed: boolean): number {
  return Math.min(stored, compressed ? compressedHead : headBytes);
}

/**
 * Elements of a packed value by its first bytes, bytes[from … to) as they are in the file; undefined when they do not
 * tell. `plain`: the value's whole length when it is compressed, 0 when it is not.
 */
export function countByHead(
  { packing, entries }: ValueType,
  bytes: Uint8Array,
  from: number,
  to: number,
  plain: number,
): number | undefined {
  if (packing === undefined) return 0;
  const count =
    plain === 0 ? countEntries(packing, bytes, from, to) : countCompressed(packing, bytes, from, to, plain);
  return count === undefined ? undefined : Math.floor(count / entries);
}

function countCompressed(
  packing: Packing,
  bytes: Uint8Array,
  from: number,
  to: number,
  plain: number,
): number | undefined {
  // Nearly all begin with a run of literal bytes that is long enough.
  const literal = bytes[from]! + 1;
  if (literal >= headBytes && literal <= 32 && plain >= headBytes && from + headBytes < to)
    return countEntries(packing, bytes, from + 1, from + 1 + headBytes);
  const target = plain < headBytes ? head.subarray(0, plain) : head;
  return countEntries(packing, head, 0, decompressLzfPrefix(bytes.subarray(from, to), target));
}

/** Elements of a whole packed value. Throws an RdbError where all of it has to be read for that, and is damaged. */
export function countElements(type: ValueType, bytes: Uint8Array): number {
  const { packing, entries } = type;
  if (packing === undefined) return 0;
  return (
    countByHead(type, bytes, 0, bytes.length, 0) ?? Math.floor(countEveryEntry(packing, bytes) / entries)
  );
}

/** The same for who looks at each value himself later: where its head does not tell, it counts as one element. */
export const countOrOne: typeof countByHead = (...value) => {
  try {
    return countByHead(...value) ?? 1;
  } catch (error) {
    if (error instanceof RdbError) return 1;
    throw error;
  }
};
