import { decodeUtf8, escapeBytes, wholeCharacters } from '../lib/text/byte-text.ts';
import { printable } from '../lib/text/printable.ts';

/** Shown of a key or prefix, in bytes. */
const shownBytes = 256;

export interface KeyText {
  /** Safe for a terminal. */
  key: string;
  /** The bytes themselves, where `key` is not exactly them and nothing is cut. */
  base64?: string;
}

/** A key's name for people; `whole` is its length where `bytes` may be only its beginning. */
export function keyText(bytes: Uint8Array, whole = bytes.length): KeyText {
  const cut = whole > shownBytes || whole > bytes.length;
  const shown = cut ? bytes.subarray(0, wholeCharacters(bytes, Math.min(bytes.length, shownBytes))) : bytes;
  const text = decodeUtf8(shown);
  const key = text === undefined ? escapeBytes(shown) : printable(text);
  if (cut) return { key: `${key}…` };
  return key === text ? { key } : { key, base64: Buffer.from(shown).toString('base64') };
}
