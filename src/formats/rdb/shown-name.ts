import { decodeUtf8, escapeBytes, wholeCharacters } from '../../lib/text/byte-text.ts';

/** Of a key in a fault. */
const shownBytes = 200;

/** A key's first bytes, for people. */
export function shownName(bytes: Uint8Array, from: number, to: number): string {
  const name = bytes.subarray(from, to);
  const shown = to - from <= shownBytes ? name : name.subarray(0, wholeCharacters(name, shownBytes));
  return decodeUtf8(shown) ?? escapeBytes(shown);
}
