import type { KeyCount, Manifest } from '../../domain/backup.ts';

/**
 * Does a loaded data set hold what the manifest says? Returns what is wrong, or undefined.
 *
 * Keys with a time to live may have passed it since: a server drops those while it loads. So what must agree, database
 * by database, are the keys that never expire; the others can only have become fewer. Counts that were not taken in
 * the instant of the fork (`exact: false`) prove nothing and are not compared.
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
    const lasting = { before: before.keys - before.expires, after: after.keys - after.expires };
    if (lasting.before !== lasting.after)
      return `database ${database} holds ${lasting.after} keys without expiry instead of ${lasting.before}`;
    if (after.expires > before.expires)
      return `database ${database} holds ${after.expires} keys with expiry instead of at most ${before.expires}`;
  }
  return undefined;
}
