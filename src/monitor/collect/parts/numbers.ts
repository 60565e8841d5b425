import type { Reply } from '../../../redis/connection/connect.ts';

/** A finite number that the server wrote, or undefined: never NaN, and nothing that is no number as a whole. */
export function finite(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 40 || !/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text))
    return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** `name=value` pairs divided by commas, as in the lists of INFO. */
export function pairsOf(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) pairs.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return pairs;
}

export const listOf = (reply: Reply | undefined): readonly Reply[] => (Array.isArray(reply) ? reply : []);

export const textOf = (reply: Reply | undefined): string =>
  typeof reply === 'string' || typeof reply === 'number' ? String(reply) : '';

export const numberOf = (reply: Reply | undefined): number | undefined =>
  typeof reply === 'number' ? reply : finite(typeof reply === 'string' ? reply : undefined);

/** Another's text for our own records: of bounded length. */
export const shortened = (text: string, length = 80): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
