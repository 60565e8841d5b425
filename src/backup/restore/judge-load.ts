import { counted } from '../../lib/text/counted.ts';
import { totalKeys, type BackupKind, type KeyCount } from '../../domain/backup.ts';
import { infoInteger, infoKeyspace, type Info } from '../../formats/info/parse-info.ts';

/** What a server holds after its start, beside what it should. */
export interface LoadReport {
  /** By database; null where nothing is expected of it. */
  databases: Record<string, { expected: number | null; found: number }>;
  /** As the load of a dump itself counted them, which clients cannot change any more; null before 7.0. */
  loaded: number | null;
  /** Keys of the backup whose time was over: a master leaves them out, or drops them soon. */
  expired: number | null;
}

export interface ExpectedKeys {
  /** What is loaded; a dump when left out. */
  kind?: BackupKind;
  databases: Record<string, KeyCount>;
  exact: boolean;
}

/**
 * Is that what was to be loaded? Clients are back as soon as a server has loaded, so the keys that it holds say little
 * about the load. Servers from 7.0 on tell how many keys they have loaded from a dump and how many had expired; of older
 * ones, and where commands were loaded, `fresh` says that nobody can have had time to delete much: then no database may
 * hold less than its keys without an expiry.
 * Returns what is wrong, or undefined.
 */
export function judgeLoad(expected: ExpectedKeys | null, info: Info, fresh: boolean): string | undefined {
  if (expected === null) return undefined;
  const total = totalKeys(expected.databases);
  const { loaded, expired } = countLoaded(expected, info);
  if (loaded !== null && expired !== null) {
    const all = loaded + expired;
    if (expected.exact && all !== total)
      return `${counted(all, 'key was', 'keys were')} loaded instead of ${total}`;
    return all === 0 && total > 0 ? `no key was loaded, of about ${total}` : undefined;
  }
  const found = infoKeyspace(info);
  for (const [database, { keys, expires }] of Object.entries(expected.databases)) {
    const now = found[database]?.keys ?? 0;
    const least = expected.exact ? keys - expires : Math.min(1, keys - expires);
    if (fresh && now < least) return `database ${database} holds ${counted(now, 'key')} instead of ${keys}`;
  }
  return undefined;
}

export function reportLoad(expected: ExpectedKeys | null, info: Info): LoadReport {
  const found = infoKeyspace(info);
  const names = [...new Set([...Object.keys(expected?.databases ?? {}), ...Object.keys(found)])];
  const rows = names
    .toSorted((a, b) => Number(a) - Number(b))
    .map((name) => [
      name,
      { expected: expected?.databases[name]?.keys ?? null, found: found[name]?.keys ?? 0 },
    ]);
  return { databases: Object.fromEntries(rows), ...countLoaded(expected, info) };
}

/** Of an append only file only the keys of its base would be counted. */
function countLoaded(expected: ExpectedKeys | null, info: Info): Pick<LoadReport, 'loaded' | 'expired'> {
  if (expected?.kind === 'aof') return { loaded: null, expired: null };
  return {
    loaded: infoInteger(info, 'rdb_last_load_keys_loaded') ?? null,
    expired: infoInteger(info, 'rdb_last_load_keys_expired') ?? null,
  };
}
