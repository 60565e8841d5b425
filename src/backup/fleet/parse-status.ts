import * as z from 'zod';
import { parseDocument } from '../document.ts';
import { statusSchema, type StatusObject } from './status-object.ts';

const count = z.int().min(0).max(1_000_000);
const word = z
  .string()
  .max(128)
  .regex(/^[\w.:+~-]*$/);
const object = z.looseObject({
  schema: z.literal(statusSchema),
  instance: word,
  at: z.iso.datetime(),
  host: z
    .string()
    .max(253)
    .regex(/^[\w.-]*$/),
  agent_version: word,
  server: z.looseObject({ engine: word, version: word, role: word }).nullable(),
  findings: z.strictObject({ info: count, warning: count, high: count, critical: count }),
  worst: z.array(word).max(20),
  audited_at: z.iso.datetime().nullable(),
  audit_score: z.number().min(0).max(100).nullable(),
});

/** Reads a status object. Throws an AgentError `damaged`, or `refused` (reason `newer`). */
export function parseStatus(text: string, name: string): StatusObject {
  return parseDocument(text, object, { name, newest: statusSchema });
}
