import * as z from 'zod';
import {
  artefactName,
  artefactNames,
  manifestSchema,
  schemaOf,
  storedAsIs,
  verificationLevels,
  type Digest,
  type Manifest,
  type Verification,
} from '../domain/backup.ts';
import type { DrillRecord } from '../domain/drill.ts';
import { damagedDocument, parseDocument } from './document.ts';
import { configNames } from './own-names.ts';

// Objects are loose: a key that a later version of the same schema adds is no reason to refuse a backup.
const count = z.number().int().nonnegative();
const slot = z.number().int().min(0).max(16_383);
const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.looseObject({ bytes: count, sha256 });

const verification = z.looseObject({
  at: time,
  level: z.enum(verificationLevels),
  ok: z.boolean(),
  summary: z.string().max(2000),
  duration_seconds: z.number().nonnegative(),
});

const fields = z.looseObject({
  schema: z.number().int().min(1).max(manifestSchema),
  id: z.string(),
  instance: z.string(),
  kind: z.enum(['rdb', 'aof']),
  purpose: z.string().max(100).optional(),
  requested_at: time,
  snapshot_at: time,
  completed_at: time,
  duration_seconds: z.number().nonnegative(),
  writer: z.looseObject({ host: z.string(), machine: z.string(), agent_version: z.string() }),
  server: z.looseObject({
    engine: z.enum(['redis', 'valkey']),
    version: z.string(),
    role: z.enum(['master', 'replica']),
    run_id: z.string(),
    replication_id: z.string(),
    replication_offset: z.number(),
    used_memory: count,
    started_at: time,
  }),
  rdb_version: count,
  rdb_checksum: z.boolean(),
  artefacts: z
    .array(
      z.looseObject({
        name: z.enum(artefactNames),
        plain: digest,
        stored: digest,
        compression: z.discriminatedUnion('algorithm', [
          z.looseObject({ algorithm: z.literal('zstd'), level: z.number().int() }),
          z.looseObject({ algorithm: z.literal('none') }),
        ]),
        encryption: z
          .looseObject({ algorithm: z.literal('age'), recipients: z.array(z.string()) })
          .nullable(),
      }),
    )
    .length(1),
  keyspace: z.looseObject({
    databases: z.record(z.string().regex(/^\d+$/), z.looseObject({ keys: count, expires: count })),
    exact: z.boolean(),
  }),
  aof: z
    .looseObject({
      layout: z.enum(['multi-part', 'single']),
      files: z.array(
        z.looseObject({
          name: z.string().max(255),
          type: z.enum(['base', 'incr', 'single']),
          bytes: count,
          commands: count,
        }),
      ),
    })
    .optional(),
  cluster: z
    .looseObject({
      node: z.string().max(100),
      slots: z.array(z.tuple([slot, slot])).max(16_384),
      moving: z.array(slot).max(16_384),
    })
    .optional(),
  identity: z.literal('unproven').optional(),
  config: digest.extend({ name: z.enum(configNames) }).optional(),
  content: z.looseObject({
    types: z.record(z.string(), count),
    aux: z.record(z.string(), z.string()),
    unread: z.string().nullable(),
  }),
  verified: verification,
});

const manifest = fields
  .refine(({ kind, artefacts }) => artefacts.every((each) => each.name === artefactName(kind, each)), {
    path: ['artefacts'],
    error: 'they are not what their names say',
  })
  .refine(({ schema, artefacts }) => artefacts.every((each) => schema >= schemaOf(each)), {
    path: ['schema'],
    error: 'it is too old for what the artefacts are',
  })
  .refine(({ artefacts }) => artefacts.every((each) => !storedAsIs(each) || same(each.plain, each.stored)), {
    path: ['artefacts'],
    error: 'one is stored as it is, and yet it is not the same',
  })
  .refine(({ kind, aof }) => (aof !== undefined) === (kind === 'aof'), {
    path: ['aof'],
    error: 'what it holds does not fit its kind',
  });

function same(one: Digest, other: Digest): boolean {
  return one.bytes === other.bytes && one.sha256 === other.sha256;
}

/** A manifest is a few kilobytes; anything near this bound is not one. */
export const manifestLimit = 1024 * 1024;

/** Reads manifest.json. Throws an AgentError: `damaged`, or `refused` (reason `newer`) for a later schema. */
export function parseManifest(text: string, { id, instance }: { id: string; instance: string }): Manifest {
  const what = { name: `manifest of ${id}`, whole: `backup ${id}`, newest: manifestSchema };
  const parsed = parseDocument(text, manifest, what);
  if (parsed.id !== id || parsed.instance !== instance)
    throw damagedDocument(what.name, `it belongs to ${parsed.instance}/${parsed.id}`);
  return parsed;
}

/** Reads a `verify-<time>.json`. Throws an AgentError `damaged`. */
export function parseVerification(text: string, name: string): Verification {
  return parseDocument(text, verification, { name });
}

/** As it is stored: indented, since people read it in an incident. */
export function formatDocument(value: Manifest | Verification | DrillRecord): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
