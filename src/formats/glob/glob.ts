/** Says whether a key, as bytes, matches. */
export type Matcher = (bytes: Uint8Array, from: number, to: number) => boolean;

const star = 0x2a;
const question = 0x3f;
const open = 0x5b;
const close = 0x5d;
const caret = 0x5e;
const dash = 0x2d;
const backslash = 0x5c;

/** What one byte of a key may be; null stands for `*`. */
type Step = Uint8Array | null;

/**
 * Compiles a pattern as KEYS and SCAN take it: `*`, `?`, `[a-c]`, `[^x]`, and `\` before what is meant literally. It
 * gives the server's answers (`stringmatchlen` in its util.c, on x86), odd ones included: a set that is not closed ends
 * with the pattern, and the key without a name matches `*` alone and the empty pattern. Time is at most
 * pattern × key, whatever the pattern.
 */
export function compileGlob(pattern: Uint8Array): Matcher {
  if (pattern.length === 1 && pattern[0] === star) return () => true;
  const steps = stepsOf(pattern);
  return (bytes, from, to) => (from === to ? steps.length === 0 : matches(steps, bytes, from, to));
}

/**
 * Every step but `*` takes exactly one byte, so going back to the last `*` is enough: an earlier one could only take
 * bytes away from the rest.
 */
function matches(steps: readonly Step[], bytes: Uint8Array, from: number, to: number): boolean {
  let step = 0;
  let at = from;
  let lastStar = -1;
  let resume = from;
  while (at < to) {
    const expected = steps[step];
    if (expected === null) {
      lastStar = step++;
      resume = at;
    } else if (expected?.[bytes[at]!] === 1) {
      step++;
      at++;
    } else {
      if (lastStar < 0) return false;
      step = lastStar + 1;
      at = ++resume;
    }
  }
  while (steps[step] === null) step++;
  return step === steps.length;
}

function stepsOf(pattern: Uint8Array): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const byte = pattern[at]!;
    if (byte === star) {
      if (steps.at(-1) !== null) steps.push(null);
    } else if (byte === question) {
      steps.push(new Uint8Array(256).fill(1));
    } else if (byte === open) {
      const set = setOf(pattern, at + 1);
      steps.push(set.accepts);
      at = set.last;
    } else {
      if (byte === backslash && at + 1 < pattern.length) at++;
      steps.push(only(pattern[at]!));
    }
  }
  return steps;
}

function only(byte: number): Uint8Array {
  const accepts = new Uint8Array(256);
  accepts[byte] = 1;
  return accepts;
}

/** The set whose first byte after `[` is at `from`, and where its last byte is. */
function setOf(pattern: Uint8Array, from: number): { accepts: Uint8Array; last: number } {
  const accepts = new Uint8Array(256);
  const not = pattern[from] === caret;
  let at = not ? from + 1 : from;
  for (; at < pattern.length && pattern[at] !== close; at++) {
    const left = pattern.length - at;
    if (pattern[at] === backslash && left >= 2) {
      accepts[pattern[++at]!] = 1;
    } else if (left >= 3 && pattern[at + 1] === dash) {
      acceptRange(accepts, pattern[at]!, pattern[at + 2]!);
      at += 2;
    } else {
      accepts[pattern[at]!] = 1;
    }
  }
  return {
    accepts: not ? accepts.map((accepted) => 1 - accepted) : accepts,
    last: Math.min(at, pattern.length - 1),
  };
}

/** In either order. The server compares signed characters: from 0x80 on they come before 0. */
function acceptRange(accepts: Uint8Array, one: number, other: number): void {
  const [a, b] = [(one << 24) >> 24, (other << 24) >> 24];
  for (let each = Math.min(a, b); each <= Math.max(a, b); each++) accepts[each & 0xff] = 1;
}
