import { levels, first, literal, places, second, separator, slotMask, slots, stars } from '../scan-layout';

// Names: as in ../prefix-table.ts.

const longestPrefix: usize = 256;
const longestProbe: u32 = 128;

/** The entry of a name's longest prefix; -1 where it is not known by its bytes. */
export function lastPrefix(from: usize, to: usize): i32 {
  const end = min(to, from + longestPrefix);
  const most = load<u32>(levels);
  const divides = i8x16.splat(load<u8>(separator));
  let entry: i32 = 0;
  let afterId = false;
  let at = from;
  for (let level: u32 = 0; level < most; level++) {
    const start = at;
    at = endOfSegment(at, end, divides);
    const isLast = at == end;
    // What follows an id names a part (user:*:cart); any other end of a name is the key itself.
    if (isLast && (!afterId || start == end || end < to)) break;
    afterId = isNumber(start, at);
    if (isLast && afterId) break;
    entry = afterId
      ? load<i32>(load<u32>(stars) + (entry << 2))
      : find(entry, start, <u32>(at - start), isLast);
    if (entry <= 0) return -1;
    if (isLast) break;
    at++;
  }
  return entry;
}

function endOfSegment(from: usize, end: usize, divides: v128): usize {
  for (let at = from; at < end; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), divides));
    if (found != 0) return min(end, at + ctz(found));
  }
  return end;
}

/** Digits alone, at least one. */
function isNumber(from: usize, to: usize): bool {
  for (let at = from; at < to; at += 16) {
    const others = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(0x30)), i8x16.splat(9)));
    if (others != 0 && at + ctz(others) < to) return false;
  }
  return from < to;
}

/** The entry below `parent` of a segment that stands for itself alone; 0: none that is known. */
function find(parent: i32, from: usize, length: u32, isLast: bool): i32 {
  const word = load<u64>(from);
  const known = length >= 8 ? word : word & (((<u64>1) << (8 * length)) - 1);
  let a = <u32>known;
  let b = <u32>(known >> 32);
  for (let at: u32 = 8; at < length; at += 4) {
    const left = length - at;
    let four = load<u32>(from + at);
    if (left < 4) four &= (1 << (8 * left)) - 1;
    a = (a ^ (a >> 15) ^ four) * 0x85ebca6b;
    b = (b ^ (b >> 13) ^ four) * 0xc2b2ae35;
  }
  const place = ((<u32>parent) << 10) | (2 * length + (isLast ? 1 : 0));
  const half = (a ^ place) * 0x9e3779b1;
  const mixed = (half ^ (half >> 15) ^ b) * 0x85ebca6b;
  const home = mixed ^ (mixed >> 13);
  for (let step: u32 = 0; step < longestProbe; step++) {
    const entry = load<u32>(load<u32>(slots) + (((home + step) & load<u32>(slotMask)) << 2));
    if (entry == 0) return 0;
    const column = entry << 2;
    const isIt =
      load<u32>(load<u32>(first) + column) == a &&
      load<u32>(load<u32>(second) + column) == b &&
      load<u32>(load<u32>(places) + column) == place;
    if (isIt) return load<u8>(load<u32>(literal) + entry) == 1 ? entry : 0;
  }
  return 0;
}
