import { shortened } from './collect/parts/numbers.ts';

const longest = 200;

/**
 * What a failed job says, with whatever could be a value masked: what differs from job to job, and what nobody should
 * read here. The same failure gives the same text.
 */
export function maskReason(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  const masked = line
    .slice(0, 2000)
    .replace(/(["'`])(?:(?!\1).)*\1/g, '$1*$1')
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>)]+/gi, '$1*')
    .replace(
      /\b(password|passwd|secret|token|api[_-]?key|authorization|bearer|auth)\b(\s*[:=]?\s*)\S+/gi,
      '$1$2*',
    )
    .replace(/[^\s<>()[\],;:="'*]+@[^\s<>()[\],;:="']+/g, '*')
    .replace(/=[^\s,;)&*]+/g, '=*')
    .replace(/[A-Za-z0-9+/_-]{8,}/g, (word) => (isToken(word) ? '*' : word))
    .replace(/\d+(?:[.:_-]\d+)*/g, '*')
    .replace(/\*(?:[\s,.]*\*)+/g, '*');
  return shortened(masked.trim() === '' ? 'no reason given' : masked.trim(), longest);
}

/** Hex, ids of a database, base64 and its like: with digits in it, or far too long for a word. */
function isToken(word: string): boolean {
  return (word.length >= 8 && /\d/.test(word) && /[A-Za-z]/.test(word)) || word.length >= 32;
}

/** The place in the stack (a JSON list, the newest last) where it was thrown: `at send (/app/mail.js:12:5)`. */
export function firstFrame(stack: string): string | null {
  let newest: unknown = stack;
  try {
    const parsed: unknown = JSON.parse(stack);
    if (Array.isArray(parsed)) newest = parsed.at(-1);
  } catch {
    // Plain text.
  }
  if (typeof newest !== 'string') return null;
  const frame = newest
    .split('\n')
    .map((line) => line.trim())
    .find((line) => /^at \S/.test(line));
  return frame === undefined ? null : shortened(frame, longest);
}
