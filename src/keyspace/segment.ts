const asterisk = 0x2a;

/** Kinds of bytes, as bits. */
export const digit = 1;
const hexLetter = 2;
const otherLetter = 4;
export const control = 8;
const beyondAscii = 16;
const punctuation = 32;
const letter = hexLetter | otherLetter | beyondAscii;
const word = digit | letter;

/** The kind of each byte. */
export const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return beyondAscii;
  if (byte < 0x20 || byte === 0x7f) return control;
  const character = String.fromCharCode(byte);
  if (/\d/.test(character)) return digit;
  if (/[a-f]/i.test(character)) return hexLetter;
  return /[g-z]/i.test(character) ? otherLetter : punctuation;
});

/** So many digits are a number that varies: `order-1234`, `{user1000}`, `log-2026-11-21`; not `v2`, `node07`. */
const longNumber = 3;
/** A word of hex digits is an id from this length. */
const hexWord = 8;
/** A word of letters and digits is a token from this length, where digits stand in it at so many places. */
const token = { length: 16, numbers: 3 };
const uuidGroups = [8, 4, 4, 4, 12] as const;

/**
 * Writes a segment of a name, what is between separators, as it counts: `*` for what varies from key to key. All of it
 * does when it is a number, a date, an id or binary; in other segments, numbers of three or more digits, UUIDs, words of
 * hex digits and random tokens do. Returns how many bytes were written, never more than were read.
 */
export function generalise(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let all = 0;
  for (let at = from; at < to; at++) all |= kinds[bytes[at]!]!;
  const varies = (all & control) !== 0 || ((all & digit) !== 0 && (all & letter) === 0);
  if (varies) {
    out[0] = asterisk;
    return 1;
  }
  let length = 0;
  for (let at = from; at < to;) {
    if ((kinds[bytes[at]!]! & word) === 0) {
      out[length++] = bytes[at++]!;
      continue;
    }
    const end = endOfUuid(bytes, at, to) ?? endOfNumbers(bytes, at, to) ?? endOfWord(bytes, at, to);
    length = writeWord(bytes, at, end, out, length);
    at = end;
  }
  return length;
}

const scratch = new Uint8Array(512);

/** Does all of it vary? Of at most 512 bytes. */
export function wholeVaries(bytes: Uint8Array, from: number, to: number): boolean {
  let all = 0;
  for (let at = from; at < to; at++) all |= kinds[bytes[at]!]!;
  // What has letters besides those of hex digits and is no single word cannot be one number, id or token.
  const isNamed =
    (all & (otherLetter | beyondAscii)) !== 0 && (all & punctuation) !== 0 && (all & control) === 0;
  return !isNamed && allVaries(scratch, generalise(bytes, from, to, scratch));
}

/** Did `generalise` find that all of the segment varies? */
export function allVaries(out: Uint8Array, length: number): boolean {
  return length === 1 && out[0] === asterisk;
}

function writeWord(bytes: Uint8Array, from: number, to: number, out: Uint8Array, length: number): number {
  if (isId(bytes, from, to)) {
    out[length] = asterisk;
    return length + 1;
  }
  let written = length;
  for (let at = from; at < to;) {
    let end = at;
    while (end < to && kinds[bytes[end]!] === digit) end++;
    if (end - at >= longNumber) {
      out[written++] = asterisk;
      at = end;
    } else
      do out[written++] = bytes[at++]!;
      while (at < end);
  }
  return written;
}

function isId(bytes: Uint8Array, from: number, to: number): boolean {
  let all = 0;
  let digits = 0;
  let numbers = 0;
  let before = 0;
  for (let at = from; at < to; at++) {
    const kind = kinds[bytes[at]!]!;
    if (kind === digit) {
      digits++;
      if (before !== digit) numbers++;
    }
    all |= kind;
    before = kind;
  }
  if (digits === 0) return false;
  const length = to - from;
  if ((all & letter) === 0) return digits >= longNumber;
  if ((all & punctuation) !== 0) return true; // only UUIDs have both
  if (all === (digit | hexLetter)) return length >= hexWord;
  return (all & beyondAscii) === 0 && length >= token.length && numbers >= token.numbers;
}

function endOfWord(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (kinds[bytes[at]!]! & word) !== 0) at++;
  return at;
}

/** Words of digits alone with single marks between them are one number: a date, an address, a version. */
function endOfNumbers(bytes: Uint8Array, from: number, to: number): number | undefined {
  let end: number | undefined;
  for (let at = from; at < to;) {
    const wordEnd = endOfWord(bytes, at, to);
    for (let each = at; each < wordEnd; each++) if (kinds[bytes[each]!] !== digit) return end;
    if (wordEnd === at) return end;
    end = wordEnd;
    at = wordEnd + 1;
  }
  return end;
}

function endOfUuid(bytes: Uint8Array, from: number, to: number): number | undefined {
  let at = from;
  for (const group of uuidGroups) {
    if (at > from && bytes[at++] !== 0x2d) return undefined;
    const end = at + group;
    if (end > to) return undefined;
    for (; at < end; at++) if ((kinds[bytes[at]!]! & (digit | hexLetter)) === 0) return undefined;
  }
  return at === to || (kinds[bytes[at]!]! & word) === 0 ? at : undefined;
}
