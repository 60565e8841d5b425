/** The newest schema of a key-space report that this version writes and reads. */
export const keyspaceSchema = 1;

/** What some keys add up to. */
export interface KeyTally {
  keys: number;
  /** As LLEN, SCARD, ZCARD, HLEN and XLEN count them; 1 for a string. */
  elements: number;
  /** Key and value as the dump holds them; values compressed where the server compresses. */
  bytes: number;
  /** Estimated bytes in a server's memory. */
  memory: number;
  /** Those of the keys that have a time to live, and their share of `bytes`. */
  expiring: number;
  expiring_bytes: number;
}

/** Keys of which something is below a bound, and not below the bucket's before. null: all the others. */
export interface Bucket {
  below: number | null;
  keys: number;
  bytes: number;
}

/** One key that is large by some measure. */
export interface LargeKey {
  database: number;
  /** Safe for a terminal: control characters are escaped; cut, with `…`, where the key is long. */
  key: string;
  /** The key's exact bytes, where `key` is not just the key and it is not cut. */
  base64?: string | undefined;
  key_bytes: number;
  type: string;
  encoding: string;
  elements: number;
  bytes: number;
  memory: number;
  /** ISO 8601; null: never. */
  expires_at: string | null;
}

/** Keys whose names begin alike, ids and numbers in them written as `*`. */
export interface Prefix {
  /** Ends with the separator, except for what follows an id: `user:`, `user:*:`, `user:*:cart`. */
  prefix: string;
  depth: number;
  types: string[];
  keys: number;
  bytes: number;
  memory: number;
  expiring: number;
}

export interface Prefixes {
  /** One character; null when nothing divides the keys. */
  separator: string | null;
  depth: number;
  /** Largest by estimated memory first; the largest by bytes and by keys are among them. */
  list: Prefix[];
  /** Is every prefix in the list? */
  complete: boolean;
  /**
   * Bytes of memory that a listed prefix may lack, since there were more prefixes than are kept at a time and the
   * smallest were forgotten. 0: all numbers are exact.
   */
  missed: number;
  /** Keys without a separator. */
  none: { keys: number; bytes: number; memory: number };
}

/**
 * What an RDB holds, by database, type, prefix, size and time to live. Kept as keys.json beside a backup's manifest,
 * then cut to its largest keys and prefixes. Times are ISO 8601 UTC, sizes bytes, durations seconds.
 */
export interface KeyspaceSummary {
  schema: number;
  rdb: {
    engine: string;
    version: number;
    /** `redis-ver`, `used-mem` … as the server wrote them. */
    aux: Record<string, string>;
    /** Function libraries. */
    functions: number;
  };
  /** When the dump was made; null when it does not say. */
  created_at: string | null;
  /** What the server said it used; null when the dump does not say. */
  used_memory: number | null;
  /** Only these keys were counted; null: all. */
  selection: { database: number | null; type: string | null };
  totals: KeyTally;
  /** Keys of them that have no element, which servers leave out or refuse when they load them; left out where there is none. */
  empty?: number | undefined;
  databases: (KeyTally & { database: number; types: (KeyTally & { type: string })[] })[];
  types: (KeyTally & { type: string; encodings: (KeyTally & { encoding: string })[] })[];
  /** Seconds until keys expire, from `measured_from`; the first bucket (0) had expired. */
  ttl: { measured_from: string; never: { keys: number; bytes: number }; buckets: Bucket[] };
  /** Bytes of a value in the dump. */
  sizes: Bucket[];
  /** Seconds since a key was used; null where the dump does not tell (maxmemory-policy is no LRU one). */
  idle: Bucket[] | null;
  /** Access counter 0..255, logarithmic; null where the dump does not tell (maxmemory-policy is no LFU one). */
  frequency: Bucket[] | null;
  prefixes: Prefixes;
  /** The largest by memory, by bytes and by elements, together; by memory, largest first. */
  keys: LargeKey[];
}
