import type { Engine } from './rdb-version.ts';

/** What a key holds, in the words of the TYPE command. */
export type DataType = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream' | 'module';

/**
 * How a value is laid out in the file:
 * - string: one string · strings: a count, then that many strings
 * - pairs: a count, then field and value strings · scored: a count, then member and 8-byte double
 * - scored-text: the same with the double as text (RDB 3..7)
 * - blob: one string that packs all elements · blobs: a count, then such strings (quicklist of ziplists)
 * - containers: a count, then a container kind and a string each (quicklist of listpacks and plain nodes)
 * - expiring-pairs: a count, then expiry, field and value · expiring-blob: one listpack of triples
 * - pairs-expiring: a count, then field, value and expiry (Valkey)
 * - stream: radix tree of listpacks, metadata, consumer groups · module: self-describing opcodes
 */
export type Layout =
  | 'string'
  | 'strings'
  | 'pairs'
  | 'scored'
  | 'scored-text'
  | 'blob'
  | 'blobs'
  | 'containers'
  | 'expiring-pairs'
  | 'expiring-blob'
  | 'pairs-expiring'
  | 'stream'
  | 'module';

/** What packs the elements of a blob. */
export type Packing = 'ziplist' | 'listpack' | 'intset' | 'zipmap';

/** One value type of the RDB format (`RDB_TYPE_…` in the servers' rdb.h). */
export interface ValueType {
  code: number;
  data: DataType;
  /** In the words of OBJECT ENCODING at the time of the save, where the file tells. */
  encoding: string;
  layout: Layout;
  /** Only for blobs and containers. */
  packing?: Packing;
  /** Strings or blob entries that make one element: 2 for a hash's or zset's, 3 with an expiry. */
  entries: number;
  /** streams: 1, 2 or 3 · hashes with expiring fields: 1 release candidate, 2 released. */
  revision: number;
  /** The first RDB version that has it, per engine; undefined: never. */
  since: { redis?: number; valkey?: number };
}

interface TypeOptions {
  packing?: Packing;
  entries?: number;
  revision?: number;
  /** Where Redis and Valkey differ. */
  only?: Engine;
}

function type(
  code: number,
  data: DataType,
  encoding: string,
  layout: Layout,
  since: number,
  { packing, entries = 1, revision = 1, only }: TypeOptions = {},
): ValueType {
  const where =
    only === undefined
      ? { redis: since, valkey: since }
      : only === 'redis'
        ? { redis: since }
        : { valkey: since };
  return { code, data, encoding, layout, entries, revision, since: where, ...(packing && { packing }) };
}

/** Every value type that this reader knows. Source: rdb.h of Redis 2.6 … 8.0 and of Valkey 7.2 … 9.1. */
export const valueTypes: readonly ValueType[] = [
  type(0, 'string', 'string', 'string', 1),
  type(1, 'list', 'linkedlist', 'strings', 1),
  type(2, 'set', 'hashtable', 'strings', 1),
  type(3, 'zset', 'skiplist', 'scored-text', 1, { entries: 2 }),
  type(4, 'hash', 'hashtable', 'pairs', 1, { entries: 2 }),
  type(5, 'zset', 'skiplist', 'scored', 8, { entries: 2 }),
  type(7, 'module', 'module', 'module', 8),
  type(9, 'hash', 'zipmap', 'blob', 2, { packing: 'zipmap', entries: 2 }),
  type(10, 'list', 'ziplist', 'blob', 2, { packing: 'ziplist' }),
  type(11, 'set', 'intset', 'blob', 2, { packing: 'intset' }),
  type(12, 'zset', 'ziplist', 'blob', 2, { packing: 'ziplist', entries: 2 }),
  type(13, 'hash', 'ziplist', 'blob', 4, { packing: 'ziplist', entries: 2 }),
  type(14, 'list', 'quicklist', 'blobs', 7, { packing: 'ziplist' }),
  type(15, 'stream', 'stream', 'stream', 9, { packing: 'listpack' }),
  type(16, 'hash', 'listpack', 'blob', 10, { packing: 'listpack', entries: 2 }),
  type(17, 'zset', 'listpack', 'blob', 10, { packing: 'listpack', entries: 2 }),
  type(18, 'list', 'quicklist', 'containers', 10, { packing: 'listpack' }),
  type(19, 'stream', 'stream', 'stream', 10, { packing: 'listpack', revision: 2 }),
  type(20, 'set', 'listpack', 'blob', 11, { packing: 'listpack' }),
  type(21, 'stream', 'stream', 'stream', 11, { packing: 'listpack', revision: 3 }),
  type(22, 'hash', 'hashtable', 'expiring-pairs', 12, { entries: 3, only: 'redis' }),
  type(23, 'hash', 'listpackex', 'expiring-blob', 12, { packing: 'listpack', entries: 3, only: 'redis' }),
  type(24, 'hash', 'hashtable', 'expiring-pairs', 12, { entries: 3, revision: 2, only: 'redis' }),
  type(25, 'hash', 'listpackex', 'expiring-blob', 12, {
    packing: 'listpack',
    entries: 3,
    revision: 2,
    only: 'redis',
  }),
  type(22, 'hash', 'hashtable', 'pairs-expiring', 80, { entries: 3, only: 'valkey' }),
];

/** Types that exist and that this reader does not read: named in errors instead of guessed at. */
const unreadable: Record<Engine, ReadonlyMap<number, string>> = {
  redis: new Map([
    [6, 'a module value of a Redis 4.0 release candidate'],
    [26, 'a stream of Redis 8.6 or later (stream-listpacks-4)'],
    [27, 'a stream of Redis 8.8 or later (stream-listpacks-5)'],
    [28, 'an array of Redis 8.8 or later'],
  ]),
  valkey: new Map([
    [6, 'a module value of a Redis 4.0 release candidate'],
    [23, 'a path hash of Valkey 9.2 or later'],
  ]),
};

const byEngine: Record<Engine, readonly (ValueType | undefined)[]> = {
  redis: tableOf('redis'),
  valkey: tableOf('valkey'),
};

function tableOf(engine: Engine): (ValueType | undefined)[] {
  const table = Array.from<ValueType | undefined>({ length: 256 });
  for (const known of valueTypes) if (known.since[engine] !== undefined) table[known.code] = known;
  return table;
}

/** Value types by code, for files of one engine; undefined where it knows none. */
export function typesOf(engine: Engine): readonly (ValueType | undefined)[] {
  return byEngine[engine];
}

/** What a code that is in no table stands for, where it is known by name. */
export function nameOfUnreadable(engine: Engine, code: number): string | undefined {
  return unreadable[engine].get(code);
}
