import { printable } from '../lib/printable.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
  const text = decode(shown);
  const key = text === undefined ? escapeBytes(shown) : printable(text);
  if (cut) return { key: `${key}…` };
  return key === text ? { key } : { key, base64: Buffer.from(shown).toString('base64') };
}

/** Undefined for what is no UTF-8. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** At most `length`, without half a UTF-8 character at the end. */
function wholeCharacters(bytes: Uint8Array, length: number): number {
  let at = length;
  while (at > length - 4 && at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}
