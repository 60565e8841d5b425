import { ByteSink } from './byte-sink.ts';

const longestMatch = 264;
const farthest = 8192;
const longestLiteral = 32;

/**
 * Compresses by the LZF format: a control byte below 32 and that many literals plus one, or a length of 3 to 264 and a
 * distance of 1 to 8192. What does not compress becomes longer.
 */
export function compressLzf(bytes: Uint8Array, literals = longestLiteral): Buffer {
  const out = new ByteSink();
  const seen = new Map<number, number>();
  let literalFrom = 0;
  const flush = (to: number): void => {
    for (; literalFrom < to; literalFrom += literals) {
      const run = bytes.subarray(literalFrom, Math.min(to, literalFrom + literals));
      out.byte(run.length - 1).bytes(run);
    }
    literalFrom = to;
  };
  for (let at = 0; at < bytes.length;) {
    const match = at + 3 <= bytes.length ? seen.get(hashAt(bytes, at)) : undefined;
    if (at + 3 <= bytes.length) seen.set(hashAt(bytes, at), at);
    const length = match === undefined || at - match > farthest ? 0 : matchLength(bytes, match, at);
    if (match === undefined || length < 3) {
      at++;
      continue;
    }
    flush(at);
    writeMatch(out, length, at - match - 1);
    at += length;
    literalFrom = at;
  }
  flush(bytes.length);
  return out.take();
}

function hashAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function matchLength(bytes: Uint8Array, from: number, to: number): number {
  let length = 0;
  while (length < longestMatch && to + length < bytes.length && bytes[from + length] === bytes[to + length])
    length++;
  return length;
}

function writeMatch(out: ByteSink, length: number, distance: number): void {
  const coded = length - 2;
  const high = distance >> 8;
  if (coded < 7) out.byte((coded << 5) | high);
  else out.byte((7 << 5) | high, coded - 7);
  out.byte(distance & 0xff);
}
