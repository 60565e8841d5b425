import * as z from 'zod';
import { keyspaceSchema, type KeyspaceSummary } from '../domain/keyspace.ts';
import { printable } from '../lib/text/printable.ts';
import { parseDocument } from './document.ts';

// Anybody who can write to the repository can write this. What is bounded here bounds what a reader of it has to hold.
const count = z.number().int().nonnegative();
/** ISO 8601; a file may say years of six digits. */
const time = z.string().regex(/^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/);
const word = z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/);
/** Names are cut to 256 bytes, each of which may be written as `\xNN`. Made safe for a terminal, as a report has them. */
const name = z.string().max(2048).transform(printable);

/** Segments of a name; what is read like this report makes room by it. */
const depth = z.number().int().nonnegative().max(100);

const tally = z.object({
  keys: count,
  elements: count,
  bytes: count,
  memory: count,
  expiring: count,
  expiring_bytes: count,
});
const share = z.object({ keys: count, bytes: count });
const buckets = z.array(share.extend({ below: z.number().nullable() })).max(64);

const prefix = z.object({
  prefix: name,
  depth,
  types: z.array(word).max(16),
  keys: count,
  bytes: count,
  memory: count,
  expiring: count,
});

const largeKey = z.object({
  database: count,
  key: name,
  base64: z.string().max(1024).optional(),
  key_bytes: count,
  type: word,
  encoding: word,
  elements: count,
  bytes: count,
  memory: count,
  expires_at: time.nullable(),
});

// Plain objects, not strict ones: a later version of the same schema may add keys, which are left out here.
const report = z.object({
  schema: z.literal(keyspaceSchema),
  rdb: z.object({
    engine: word,
    version: count,
    aux: z.record(name, name).refine((aux) => Object.keys(aux).length <= 128, 'too many fields'),
    functions: count,
  }),
  created_at: time.nullable(),
  used_memory: count.nullable(),
  selection: z.object({ database: count.nullable(), type: word.nullable() }),
  totals: tally,
  empty: count.optional(),
  databases: z
    .array(tally.extend({ database: count, types: z.array(tally.extend({ type: word })).max(16) }))
    .max(4096),
  types: z
    .array(tally.extend({ type: word, encodings: z.array(tally.extend({ encoding: word })).max(64) }))
    .max(16),
  ttl: z.object({ measured_from: time, never: share, buckets }),
  sizes: buckets,
  idle: buckets.nullable(),
  frequency: buckets.nullable(),
  prefixes: z.object({
    separator: z
      .string()
      .regex(/^[!-/:-@[-`{-~]$/)
      .nullable(),
    depth,
    list: z.array(prefix).max(10_000),
    complete: z.boolean(),
    missed: count,
    none: share.extend({ memory: count }),
  }),
  keys: z.array(largeKey).max(10_000),
});

/**
 * Reads a key-space report: keys.json of a backup, or what `keys --json` printed. What it says is
 * not proven: whoever may write there may write any numbers. Throws an AgentError: `damaged`, or `refused` (reason `newer`).
 */
export function parseKeyspace(text: string, what: string): KeyspaceSummary {
  return parseDocument(text, report, { name: what, newest: keyspaceSchema });
}
