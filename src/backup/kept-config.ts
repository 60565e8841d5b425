import { hash } from 'node:crypto';
import * as z from 'zod';
import type { Manifest } from '../domain/backup.ts';
import { serverConfigSchema, type ServerConfig } from '../domain/server-config.ts';
import { damagedDocument, parseDocument } from './document.ts';
import type { Repository } from './repository.ts';
import { readBytes } from './small-object.ts';

type Place = Pick<Repository, 'store' | 'instance'>;

/** How the server was set up when a backup was taken, as it is stored; undefined where none is kept. Throws an AgentError where it is not what the manifest says. */
export async function readKeptConfig(
  { store, instance }: Place,
  { id, config }: Manifest,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  if (config === undefined) return undefined;
  const bytes = await readBytes(store, `${instance}/${id}/${config.name}`, signal);
  if (bytes.length === config.bytes && hash('sha256', bytes) === config.sha256) return bytes;
  throw damagedDocument(`${config.name} of backup ${id}`, 'it is not what the manifest says');
}

/** Reads config.json. Throws an AgentError: `damaged`, or `refused` (reason `newer`). */
export function parseServerConfig(text: string, name: string): ServerConfig {
  return parseDocument(text, document, { name, newest: serverConfigSchema });
}

const document: z.ZodType<ServerConfig> = z.object({
  schema: z.number(),
  at: z.string().max(64),
  config: z.record(z.string(), z.string()),
  acl: z.array(z.string()).nullable(),
  files: z.array(z.object({ path: z.string(), text: z.string() })),
  masked: z.boolean(),
  missing: z.array(z.string()),
});
