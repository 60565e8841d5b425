/**
 * The hot part of a key-space report: keys and the sizes of their values are read, and counted by type, size, time and
 * prefix, without a call for any of them. AssemblyScript: scripts/build-kernel compiles it to WebAssembly, which
 * ../scan-kernel.ts holds and ../scanner.ts runs. Vector instructions look at sixteen bytes of a name at once, and
 * nothing waits for a compiler to find out what is hot: in a backup it takes a third of what the same takes in TypeScript.
 *
 * TypeScript knows all of it and does whatever this stops at: names that come up for the first time, the largest keys,
 * values that do not lie in one window or have long lengths, other types, damage. What is counted here must be the same
 * to the last bit: test/unit/keyspace/scanner.test.ts compares.
 */

import {
  string,
  packed,
  hash,
  zset,
  list,
  earlyList,
  layouts,
  packings,
  entries,
  rows,
  dataTypes,
  counts,
  timeBounds,
  idleBounds,
  frequencyBounds,
  keyLimit,
  tallies,
  sizes,
  times,
  idles,
  frequencies,
  sums,
  types,
  memoryFloor,
  bytesFloor,
  elementsFloor,
  measuredFrom,
  expiresAt,
  idle,
  frequency,
  read,
  isKey,
  keyFrom,
  keyBytes,
  valueEnd,
  elements,
  stringsRead,
  longest,
  saved,
  integer,
} from '../scan-layout';
import { memoryOfPacked, memoryOfString } from './memory';
import { lastPrefix } from './names';
import { memoryOfTable } from './tables';
import {
  bytesFrom,
  entriesOf,
  isCompressed,
  isInteger,
  readHeader,
  storedBytes,
  walk,
  walkedElements,
  walkedLongest,
  walkedSaved,
  walkNodes,
  wholeBytes,
} from './strings';

const idleOpcode: u32 = 248;
const frequencyOpcode: u32 = 249;
const expireTimeMs: u32 = 252;
/** No expiry, and no header of a key or value with the head of what it packs, is longer; nor what is read beyond. */
const headRoom: usize = 48;
const longestEmbedded: u32 = 44;

/** Of the key that was read last. */
let elementCount: i64 = 0;
let stringCount: u32 = 0;
let longestBytes: u32 = 0;
let savedBytes: u32 = 0;
let isNumber: bool = false;
let endOfNumber: usize = 0;

/**
 * Reads keys from the address `at` on, until `stop`, or before `end`, or before what is not plain, or before a key that is
 * for the caller. Returns where it has stopped.
 */
export function scan(at: usize, stop: usize, end: usize): usize {
  const last = end - headRoom;
  let expires = load<f64>(expiresAt);
  const limit = load<u32>(keyLimit);
  let count: u32 = 0;
  store<u32>(isKey, 0);
  while (at < stop && at <= last) {
    const code: u32 = load<u8>(at);
    if (code == expireTimeMs) {
      expires = <f64>load<i64>(at, 1);
      at += 9;
      continue;
    }
    if (code == frequencyOpcode) {
      store<f64>(frequency, <f64>load<u8>(at, 1));
      at += 2;
      continue;
    }
    if (code == idleOpcode) {
      if (!readIdle(at + 1)) break;
      at = endOfNumber;
      continue;
    }
    const layout: i32 = load<u8>(layouts + code);
    if (layout == 0) break;
    let nameBytes: u32 = load<u8>(at, 1);
    let name = at + 2;
    if (nameBytes >= 0x40) {
      if (nameBytes >= 0x80) break;
      nameBytes = ((nameBytes & 0x3f) << 8) | load<u8>(name++);
    }
    const nameEnd = name + nameBytes;
    if (nameEnd > last || nameBytes > limit || !readHeader(nameEnd)) break;
    const next = readValue(layout, code, last);
    if (next == 0) break;
    const plain = <u32>(next - nameEnd) + savedBytes;
    const takes =
      layout == string
        ? memoryOfString(nameBytes, longestBytes, isNumber, expires)
        : layout == packed
          ? memoryOfPacked(nameBytes, longestBytes, expires)
          : memoryOfTable(layout, nameBytes, expires, <u32>elementCount, stringCount, longestBytes, plain);
    const size = <u32>(next - nameEnd) + nameBytes;
    const entry = lastPrefix(name, nameEnd);
    const isLarge =
      <f64>takes > load<f64>(memoryFloor) ||
      <f64>size > load<f64>(bytesFloor) ||
      <f64>elementCount > load<f64>(elementsFloor);
    // One without any element is noted by who counts such.
    const isEmpty = layout != string && elementCount == 0;
    if (entry < 0 || isLarge || isEmpty) {
      tell(name, nameBytes, next);
      break;
    }
    const form: u32 = layout != string || isNumber ? 0 : longestBytes <= longestEmbedded ? 1 : 2;
    countKey(code, load<u8>(rows + code) + form, entry, size - nameBytes, size, takes, expires);
    count++;
    expires = -1;
    at = next;
  }
  store<u32>(read, count);
  store<f64>(expiresAt, expires);
  return at;
}

/** Seconds, as a length. False where they take more than five bytes, or are none. */
function readIdle(at: usize): bool {
  const head: u32 = load<u8>(at);
  if (head == 0x80) {
    store<f64>(idle, <f64>bswap(load<u32>(at, 1)));
    endOfNumber = at + 5;
  } else if (head >= 0x80) return false;
  else {
    const isShort = head < 0x40;
    store<f64>(idle, <f64>(isShort ? head : ((head & 0x3f) << 8) | load<u8>(at, 1)));
    endOfNumber = at + (isShort ? 1 : 2);
  }
  return true;
}

/** Tells the caller of the key that was read last: what RdbRecord has of it. */
function tell(name: usize, nameBytes: u32, end: usize): void {
  store<u32>(isKey, 1);
  store<u32>(keyFrom, <u32>name);
  store<u32>(keyBytes, nameBytes);
  store<u32>(valueEnd, <u32>end);
  store<u32>(elements, <u32>elementCount);
  store<u32>(stringsRead, stringCount);
  store<u32>(longest, longestBytes);
  store<u32>(saved, savedBytes);
  store<u32>(integer, isNumber ? 1 : 0);
}

/** The value whose first header was read. Returns where it ends; 0 where it cannot be read. */
function readValue(layout: i32, code: u32, last: usize): usize {
  isNumber = isInteger;
  if (isNumber && layout != string) return 0;
  if (layout > packed) return readTable(layout, last);
  elementCount = 1;
  if (layout == packed) {
    const count = entriesOf(load<u8>(packings + code));
    if (count < 0) return 0;
    elementCount = count / load<u8>(entries + code);
  }
  stringCount = 1;
  longestBytes = wholeBytes;
  savedBytes = wholeBytes - storedBytes;
  return bytesFrom + storedBytes;
}

/** Several strings, whose number was read as if it were a length. */
function readTable(layout: i32, last: usize): usize {
  const count = storedBytes;
  if (isCompressed || count == 0) return 0;
  stringCount = layout == hash ? 2 * count : count;
  const isList = layout == list || layout == earlyList;
  const end = isList
    ? walkNodes(layout, bytesFrom, count, last)
    : walk(bytesFrom, stringCount, layout == zset ? 8 : 0, last);
  elementCount = isList ? walkedElements : count;
  longestBytes = walkedLongest;
  savedBytes = walkedSaved;
  return end <= last + headRoom ? end : 0;
}

/** `entry`: of its last prefix; `size`: of key and value. */
function countKey(
  code: u32,
  row: u32,
  entry: i32,
  valueBytes: u32,
  size: u32,
  takes: u32,
  expires: f64,
): void {
  const bytes = <f64>size;
  const memory = <f64>takes;
  const tally = load<u32>(tallies) + row * 48;
  const sum = load<u32>(sums) + (entry << 5);
  add(tally, 1);
  add(tally + 8, <f64>elementCount);
  add(tally + 16, bytes);
  add(tally + 24, memory);
  add(counts + (code << 4), 1);
  const power = <u32>max(0, (27 - <i32>clz(valueBytes)) >> 1);
  add(load<u32>(sizes) + (power << 4), 1);
  add(load<u32>(sizes) + (power << 4) + 8, bytes);
  add(sum, 1);
  add(sum + 8, bytes);
  add(sum + 16, memory);
  const kinds = load<u32>(types) + entry;
  store<u8>(kinds, load<u8>(kinds) | (1 << load<u8>(dataTypes + code)));
  countNotes(bytes);
  if (expires != -1) add(counts + 8 + (code << 4), 1);
  if (expires < 0) return;
  add(tally + 32, 1);
  add(tally + 40, bytes);
  add(sum + 24, 1);
  addTo(load<u32>(times), timeBounds, (expires - load<f64>(measuredFrom)) / 1000, bytes);
}

/** What a server notes of its keys for some policies of eviction. */
function countNotes(bytes: f64): void {
  const seconds = load<f64>(idle);
  if (seconds >= 0) addTo(load<u32>(idles), idleBounds, seconds, bytes);
  const often = load<f64>(frequency);
  if (often >= 0) addTo(load<u32>(frequencies), frequencyBounds, often, bytes);
  store<f64>(idle, -1);
  store<f64>(frequency, -1);
}

function addTo(histogram: usize, bounds: usize, value: f64, bytes: f64): void {
  let bucket = histogram;
  for (let bound = bounds; value >= load<f64>(bound); bound += 8) bucket += 16;
  add(bucket, 1);
  add(bucket + 8, bytes);
}

function add(place: usize, value: f64): void {
  store<f64>(place, load<f64>(place) + value);
}
