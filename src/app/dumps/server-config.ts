import type { App } from '../build-app.ts';
import { decryptAge } from '../../backup/artefact/age-decrypt.ts';
import type { Repository } from '../../backup/repository.ts';
import type { Manifest } from '../../domain/backup.ts';
import type { ServerConfig } from '../../domain/server-config.ts';

/** How the server was set up when a backup was taken; null where that is not kept. */
export async function readServerConfig(
  app: App,
  repository: Repository,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<ServerConfig | null> {
  // Validates with zod, which help and the version need not wait for.
  const { parseServerConfig, readKeptConfig } = await import('../../backup/kept-config.ts');
  const stored = await readKeptConfig(repository, manifest, signal);
  if (stored === undefined || manifest.config === undefined) return null;
  const { name } = manifest.config;
  const encryption = manifest.artefacts[0]?.encryption;
  if (name === 'config.json') return parseServerConfig(stored.toString('utf8'), name);
  const plain: Buffer[] = [];
  const recipients = encryption?.recipients ?? [];
  for await (const chunk of decryptAge(one(stored), { identities: app.identities(), recipients }))
    plain.push(Buffer.from(chunk));
  return parseServerConfig(Buffer.concat(plain).toString('utf8'), name);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
