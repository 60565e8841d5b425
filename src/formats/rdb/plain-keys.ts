import { lzfExpansion } from './lzf.ts';
import { countByHead, headOf } from './packed-elements.ts';
import type { KeysOptions, RdbHandler, RdbRecord } from './rdb-handler.ts';
import type { ValueType } from './value-types.ts';
import type { Window } from './window.ts';

const expireTimeMs = 252;
/** No expiry, and no header of a key or value that is read here with the head of what it packs, is longer. */
const headRoom = 48;
const compressed = 0xc3;

const string = 1;
const blob = 2;

/** Of each code, whether its values are read here, and how. */
export function plainLayouts(types: readonly (ValueType | undefined)[]): Uint8Array {
  return Uint8Array.from(types, (type) =>
    type?.layout === 'string' ? string : type?.layout === 'blob' ? blob : 0,
  );
}

/**
 * Keys whose value is one string, bare or packed with all elements: most of many data sets. Read here without a call for
 * each token, which is three times as fast. Stops before anything else, and where a length takes more than two bytes.
 * Returns how many keys it read.
 */
export function readPlainKeys(
  window: Window,
  record: RdbRecord,
  handler: RdbHandler,
  { first, keyLimit, types, layouts }: KeysOptions,
): number {
  const { bytes, stop, base } = window;
  const last = window.end - headRoom;
  let index = first;
  let at = window.at;
  let typeCode = -1;
  /** Has the next key an expiry or another note? */
  let noted = true;
  record.bytes = bytes;
  while (at < stop && at <= last) {
    const code = bytes[at]!;
    if (code === expireTimeMs) {
      window.at = at + 1;
      record.expiresAt = window.int64();
      noted = true;
      at += 9;
      continue;
    }
    const layout = layouts[code]!;
    if (layout === 0) break;

    let keyBytes = bytes[at + 1]!;
    let keyFrom = at + 2;
    if (keyBytes >= 0x40) {
      if (keyBytes >= 0x80) break;
      keyBytes = ((keyBytes & 0x3f) << 8) | bytes[keyFrom]!;
      keyFrom++;
    }
    const keyTo = keyFrom + keyBytes;
    if (keyTo > last || keyBytes > keyLimit) break;

    let stored = bytes[keyTo]!;
    let from = keyTo + 1;
    let plain = 0;
    let integer = false;
    if (stored >= 0x40) {
      if (stored < 0x80) stored = ((stored & 0x3f) << 8) | bytes[from++]!;
      else if (stored === compressed) {
        stored = bytes[from++]!;
        if (stored >= 0x80) break;
        if (stored >= 0x40) stored = ((stored & 0x3f) << 8) | bytes[from++]!;
        plain = bytes[from++]!;
        if (plain >= 0x80) break;
        if (plain >= 0x40) plain = ((plain & 0x3f) << 8) | bytes[from++]!;
        // Damaged, which is for others to say.
        if (stored === 0 || plain === 0 || plain > stored * lzfExpansion) break;
      } else {
        if (layout === blob || stored < 0xc0 || stored > 0xc2) break;
        stored = 1 << (stored & 3);
        integer = true;
      }
    }
    if (code !== typeCode) {
      typeCode = code;
      record.type = types[code]!;
    }
    let elements = 1;
    if (layout === blob) {
      const count = countByHead(record.type, bytes, from, from + headOf(stored, plain > 0), plain);
      if (count === undefined) break;
      elements = count;
    }
    const end = from + stored;
    record.index = index++;
    record.offset = base + at;
    record.keyFrom = keyFrom;
    record.keyTo = keyTo;
    record.keyBytes = keyBytes;
    record.elements = elements;
    record.valueBytes = end - keyTo;
    record.plainBytes = end - keyTo + (plain > 0 ? plain - stored : 0);
    record.strings = 1;
    record.longest = plain > 0 ? plain : stored;
    record.integer = integer;
    handler.record?.(record);
    if (noted) {
      record.expiresAt = -1;
      record.idle = -1;
      record.frequency = -1;
      noted = false;
    }
    at = end;
  }
  window.at = at;
  return index - first;
}
