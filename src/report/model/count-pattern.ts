import type { KeyspaceSummary } from '../../domain/keyspace.ts';
import type { PatternFacts } from '../facts.ts';

/**
 * What a key report knows of all keys that match `sess:*`: its prefix `sess:`, to the key. Undefined where it does not tell them from
 * others: another form of pattern, a deeper one, one with what the report takes for an id, or where something was forgotten.
 */
export function countPattern(
  { prefixes, databases, selection }: KeyspaceSummary,
  match: string,
): PatternFacts['counted'] | undefined {
  const { separator, list, complete, missed, depth } = prefixes;
  const literal = match.slice(0, -1);
  if (separator === null || !match.endsWith(`${separator}*`) || /[*?[\\\d]/.test(literal)) return undefined;
  // Prefixes are counted over all databases, and a pattern means one.
  if (databases.length > 1 || selection.database !== null || selection.type !== null || missed > 0)
    return undefined;
  if (literal.split(separator).length - 1 > depth) return undefined;
  const found = list.find(({ prefix }) => prefix === literal);
  if (found === undefined)
    return complete && isPlain(literal, separator) ? { keys: 0, withoutTtl: 0, memory: 0 } : undefined;
  return { keys: found.keys, withoutTtl: found.keys - found.expiring, memory: found.memory };
}

/** Words, none of which could be an id. */
function isPlain(literal: string, separator: string): boolean {
  return literal
    .slice(0, -1)
    .split(separator)
    .every((word) => /^[a-z_-]{1,20}$/i.test(word) && /[g-z_-]/i.test(word));
}
