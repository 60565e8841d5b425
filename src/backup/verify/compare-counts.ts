import { counted } from '../../lib/text/counted.ts';
import type { KeyCount, Manifest } from '../../domain/backup.ts';

/**
 * Does a loaded data set hold what the manifest says? Returns what is wrong, or undefined.
 *
 * A dump holds every key that the server counts, also those whose time is over, and a scratch server keeps them, as a
 * replica does. So keys and expiries must be the same, database by database. Counts that were not taken in the instant
 * of the fork (`exact: false`) prove nothing and are not compared.
 */
export function compareCounts(
  expected: Manifest['keyspace'],
  loaded: Record<string, KeyCount>,
): string | undefined {
  if (!expected.exact) return undefined;
  const databases = new Set([...Object.keys(expected.databases), ...Object.keys(loaded)]);
  for (const database of databases) {
    const before = expected.databases[database] ?? { keys: 0, expires: 0 };
    const after = loaded[database] ?? { keys: 0, expires: 0 };
    if (after.keys !== before.keys)
      return `database ${database} holds ${counted(after.keys, 'key')} instead of ${before.keys}`;
    if (after.expires !== before.expires)
      return `in database ${database} ${counted(after.expires, 'key has', 'keys have')} an expiry instead of ${before.expires}`;
  }
  return undefined;
}

type Counts = Record<string, KeyCount>;

/** What is left of the counts of a dump when a server leaves some of its keys out. */
export function without(counts: Counts, left: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([database, { keys, expires }]) => {
      const out = left[database] ?? { keys: 0, expires: 0 };
      return keys === out.keys ? [] : [[database, { keys: keys - out.keys, expires: expires - out.expires }]];
    }),
  );
}
