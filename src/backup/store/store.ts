/** An object as a listing shows it. */
export interface StoredObject {
  /** Relative to the store's root, `/`-separated, no leading slash. */
  key: string;
  bytes: number;
  /** To the second: finer digits may differ between `stat` and `list`. */
  modified: Date;
}

/** An object being read. */
export interface ObjectReader {
  /** The object's whole length, known before the first byte. */
  bytes: number;
  /**
   * The content, once. Ends normally only after exactly `bytes` bytes: an early or late end is an error
   * (`repository`, reason `truncated`). Nothing is held open before the loop starts, and leaving it early releases
   * the connection or descriptor. A chunk is valid until the next one is asked for.
   */
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Where objects are kept. The contract, which test/contract/store.ts runs on every implementation:
 *
 * - Keys are `/`-separated segments of [A-Za-z0-9._-]{1,255}, none starting with a dot, 512 characters in all;
 *   anything else is refused (`bad-key`). No key may be another's folder: where `a/b` is an object, `a` is none.
 * - Objects are immutable: `put` of an existing key fails with reason `exists` and leaves the old bytes. Of several
 *   puts of one key at the same time exactly one wins (on S3: where the server honours `If-None-Match`).
 * - `put` is atomic: nothing is listed, readable or counted under the key until the last byte is safe, then all of
 *   it is. A `put` that fails or is aborted leaves nothing that `list` shows; one that dies with the process leaves
 *   nothing, or, if it died in its very last step, the whole object. When it has resolved, the bytes are durable.
 * - A chunk handed to `put` may be reused by its producer as soon as the next one is asked for. What the producer
 *   throws is passed on as it is. The producer is told to stop (`return()`) whenever `put` stops early.
 * - `list` yields every object below a prefix (whole segments, `''` for all), sorted by key; temporary files are not
 *   objects, and names that are no keys are passed over. A prefix that is not there has no objects.
 * - `remove` of a missing key is no error.
 * - When the signal aborts, the call rejects with the signal's reason, unless it had already taken effect.
 * - Every other failure is an AgentError `repository` whose reason is one of StoreFailure, naming operation and key.
 */
export interface Store {
  /** For people: `filesystem /var/lib/…` or `s3 bucket/prefix at endpoint`. No secrets. */
  readonly description: string;
  put(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    /** `expected`: about how many bytes will come, where that is known; never a bound. */
    options: { signal: AbortSignal; expected?: number | undefined },
  ): Promise<{ bytes: number }>;
  get(key: string, options: { signal: AbortSignal }): Promise<ObjectReader>;
  /** undefined when there is no such object. */
  stat(key: string, options: { signal: AbortSignal }): Promise<StoredObject | undefined>;
  list(prefix: string, options: { signal: AbortSignal }): AsyncIterable<StoredObject>;
  /** The keys of `list`, where they can be had for less than the rest of it. */
  keys?(prefix: string, options: { signal: AbortSignal }): AsyncIterable<string>;
  remove(key: string, options: { signal: AbortSignal }): Promise<void>;
  /**
   * Clears what interrupted puts left below the prefix and last touched before `before` (temporary files, multipart
   * uploads); returns their names. `folders`: which empty folders right below the prefix go as well, where a store has such.
   */
  sweep(
    prefix: string,
    options: { before: Date; signal: AbortSignal; folders?: (name: string) => boolean },
  ): Promise<string[]>;
  /** Bytes that can still be stored, where that is known. */
  free(): Promise<number | undefined>;
  /** Tries what a backup needs on objects of its own below `prefix`, which are gone afterwards; left out where nothing can lack. */
  examine?(prefix: string, options: { signal: AbortSignal }): Promise<StoreTraits>;
  /** Where the store keeps what was removed: that of removed objects, and how to remove it for good. */
  readonly removed?: {
    list(prefix: string, options: { signal: AbortSignal }): AsyncIterable<RemovedObject>;
    expire(object: RemovedObject, options: { signal: AbortSignal }): Promise<void>;
  };
  close(): Promise<void>;
}

/** What a store does otherwise than it should. */
export interface StoreTraits {
  /** In words, with what stands in for it. */
  lacks: { what: string; instead: string; loses?: string }[];
  /** What is removed is kept as an old version: undefined where the store does not tell. */
  versioned: boolean | undefined;
  /** Whoever is on the way can read along. */
  openLine: boolean;
}

/** A version of an object that was removed, or the mark that it was. */
export interface RemovedObject {
  key: string;
  version: string;
  /** 0 of a mark. */
  bytes: number;
}

/** Why a store operation failed. */
export type StoreFailure =
  | 'exists'
  | 'missing'
  | 'denied'
  | 'full'
  | 'truncated'
  | 'clock-skew'
  | 'no-bucket'
  | 'unavailable'
  | 'unsupported'
  | 'bad-key';

// 255 is the longest file name of every file system that matters.
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/;

/** Is this a key that every store can hold? */
export function isKey(key: string): boolean {
  return key.length <= 512 && key.split('/').every((part) => segment.test(part));
}
