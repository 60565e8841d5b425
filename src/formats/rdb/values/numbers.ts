import { RdbError } from '../rdb-handler.ts';

/** More digits than any server writes a double with. */
const longestScore = 128;
/**
 * What strtod and sscanf read of it, as far as a server writes it so; what they read besides (hexadecimal, text behind the
 * number) no server has written. What JavaScript reads besides (no-break spaces, `0b1`) they refuse.
 */
const number = /^[ \t-\r]*(?:([+-]?)inf(?:inity)?|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;

/** A score that is held as text. JavaScript and strtod round alike, to the nearest double. */
export function parseScore(source: Uint8Array, from = 0, to = source.length): number {
  if (to - from > longestScore || from === to) throw badScore();
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(source[at]!);
  const found = number.exec(text);
  if (found === null) throw badScore();
  const [, sign] = found;
  if (sign === undefined) return Number(text);
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A score that is held as 8 bytes. */
export function readScore(bytes: Uint8Array): number {
  const score = viewOf(bytes).getFloat64(0, true);
  if (Number.isNaN(score)) throw badScore();
  return score;
}

/** A time in ms since 1970, as the servers keep it: signed, little endian. Rounded beyond 2^53. */
export function readTime(bytes: Uint8Array): number {
  return Number(viewOf(bytes).getBigInt64(0, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function badScore(): RdbError {
  return new RdbError('damaged', "a sorted set's score is not a number");
}
