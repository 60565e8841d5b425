import { intset, list, listpack, ziplist } from '../scan-layout';

// Strings as a file holds them: a header, which tells how long they are, then their bytes.

const compressed: u32 = 0xc3;
/** A byte of LZF becomes at most so many: as in formats/rdb/lzf.ts. */
const lzfExpansion: u32 = 88;
/** What is read of a packed value's first bytes, at most. */
const packedHead: u32 = 10;
const plainNode: u32 = 1;
const packedNode: u32 = 2;

/** Of the header that was read last: what follows it, how long that is, and how long once decompressed. */
export let bytesFrom: usize = 0;
export let storedBytes: u32 = 0;
export let wholeBytes: u32 = 0;
export let isCompressed: bool = false;
export let isInteger: bool = false;
/** Of those that were walked through last: the longest, what all have beyond what is stored, and a list's elements. */
export let walkedLongest: u32 = 0;
export let walkedSaved: u32 = 0;
export let walkedElements: i64 = 0;

/** False where a length takes more than two bytes, and where it cannot be right. */
export function readHeader(at: usize): bool {
  let length: u32 = load<u8>(at++);
  isInteger = false;
  isCompressed = length == compressed;
  if (isCompressed) {
    length = load<u8>(at++);
    if (length >= 0x80) return false;
    if (length >= 0x40) length = ((length & 0x3f) << 8) | load<u8>(at++);
    let whole: u32 = load<u8>(at++);
    if (whole >= 0x80) return false;
    if (whole >= 0x40) whole = ((whole & 0x3f) << 8) | load<u8>(at++);
    if (length == 0 || whole == 0 || whole > length * lzfExpansion) return false;
    wholeBytes = whole;
  } else {
    if (length >= 0xc0) {
      if (length > 0xc2) return false;
      length = 1 << (length & 3);
      isInteger = true;
    } else if (length >= 0x40) {
      if (length >= 0x80) return false;
      length = ((length & 0x3f) << 8) | load<u8>(at++);
    }
    wholeBytes = length;
  }
  bytesFrom = at;
  storedBytes = length;
  return true;
}

/**
 * Walks through `count` strings with `between` bytes after each. Returns where they end; 0 where one cannot be
 * read, or begins after `last`.
 */
export function walk(from: usize, count: u32, between: u32, last: usize): usize {
  let at = from;
  walkedLongest = 0;
  walkedSaved = 0;
  for (let left = count; left > 0; left--) {
    if (at > last || !readHeader(at)) return 0;
    walkedLongest = max(walkedLongest, wholeBytes);
    walkedSaved += wholeBytes - storedBytes;
    at = bytesFrom + storedBytes + between;
  }
  return at;
}

/** The same of a list's nodes. */
export function walkNodes(layout: i32, from: usize, count: u32, last: usize): usize {
  let at = from;
  walkedLongest = 0;
  walkedSaved = 0;
  walkedElements = 0;
  for (let left = count; left > 0; left--) {
    if (at > last) return 0;
    const kind: u32 = layout == list ? load<u8>(at++) : packedNode;
    if ((kind != plainNode && kind != packedNode) || !readHeader(at)) return 0;
    const entries = kind == plainNode ? 1 : entriesOf(layout == list ? listpack : ziplist);
    if (isInteger || entries < 0) return 0;
    walkedElements += entries;
    walkedLongest = max(walkedLongest, wholeBytes);
    walkedSaved += wholeBytes - storedBytes;
    at = bytesFrom + storedBytes;
  }
  return at;
}

/** How many entries the packed string has whose header was read last, by its first bytes; -1 where they do not tell. */
export function entriesOf(packing: i32): i64 {
  let head = bytesFrom;
  if (isCompressed) {
    // Nearly all begin with a run of literal bytes that is long enough.
    const literals: u32 = load<u8>(head++) + 1;
    if (literals < packedHead || literals > 32 || wholeBytes < packedHead || storedBytes <= packedHead)
      return -1;
  } else if (storedBytes < packedHead && (packing == ziplist || storedBytes < 6 || packing == intset))
    return -1;
  if (packing == intset) return load<u32>(head, 4);
  const count: i64 = packing == listpack ? load<u16>(head, 4) : load<u16>(head, 8);
  return (packing == listpack || packing == ziplist) && count != 0xffff ? count : -1;
}
