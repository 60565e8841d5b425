import type { KeyspaceSummary } from '../domain/keyspace.ts';

/** A compact report takes at most so many bytes. */
const compactBytes = 64 * 1024;
const keptPrefixes = 50;

/**
 * The report as it is kept beside a backup: at most 64 KiB of JSON, a few as a rule. The largest prefixes and keys stay;
 * only where their names are very long, or the databases very many, there are fewer of them.
 */
export function compactReport(summary: KeyspaceSummary): KeyspaceSummary {
  let prefixes = Math.min(summary.prefixes.list.length, 3 * keptPrefixes);
  let keys = summary.keys.length;
  let databases = summary.databases.length;
  for (;;) {
    const compact: KeyspaceSummary = {
      ...summary,
      databases: summary.databases.slice(0, databases),
      keys: summary.keys.slice(0, keys),
      prefixes: {
        ...summary.prefixes,
        list: summary.prefixes.list.slice(0, prefixes),
        complete: summary.prefixes.complete && prefixes === summary.prefixes.list.length,
      },
    };
    if (Buffer.byteLength(JSON.stringify(compact)) <= compactBytes || databases + keys + prefixes === 0)
      return compact;
    if (keys + prefixes > 0) {
      prefixes = prefixes >> 1;
      keys = keys >> 1;
    } else databases = databases >> 1;
  }
}
