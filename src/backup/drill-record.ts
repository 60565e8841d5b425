import * as z from 'zod';
import { drillSchema, type DrillRecord } from '../domain/drill.ts';
import { parseDocument } from './document.ts';

const count = z.number().int().nonnegative();
const seconds = z.number().nonnegative();
const line = z.string().max(2000);

const record = z.looseObject({
  schema: z.literal(drillSchema),
  backup: z.string().max(64),
  at: z.iso.datetime(),
  ok: z.boolean(),
  summary: line,
  server: z.looseObject({ engine: z.enum(['redis', 'valkey']), version: z.string().max(64) }),
  loaded_as: z.enum(['rdb', 'multi-part', 'single']),
  bytes: count,
  stored_bytes: count,
  keys: count.nullable(),
  compared: z
    .looseObject({ keys: count, elements: count, incomplete: count, differences: z.array(line).max(64) })
    .nullable(),
  seconds: z.looseObject({
    fetch: seconds,
    decode: seconds,
    check: seconds.nullable(),
    load: seconds.nullable(),
    compare: seconds.nullable(),
    total: seconds,
  }),
  recovery_seconds: seconds.nullable(),
});

/** Reads a `drill-<time>.json`. Throws an AgentError: `damaged`, or `refused` (reason `newer`). */
export function parseDrill(text: string, name: string): DrillRecord {
  return parseDocument(text, record, { name, newest: drillSchema });
}
