import type { App } from '../app/build-app.ts';
import { decryptAge } from '../backup/artefact/age-decrypt.ts';
import type { Repository } from '../backup/repository.ts';
import type { Manifest } from '../domain/backup.ts';
import type { ServerConfig } from '../domain/server-config.ts';
import { printable } from '../lib/text/printable.ts';

/** How the server was set up when a backup was taken; null where that is not kept. */
export async function readServerConfig(
  app: App,
  repository: Repository,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<ServerConfig | null> {
  // Validates with zod, which help and the version need not wait for.
  const { parseServerConfig, readKeptConfig } = await import('../backup/kept-config.ts');
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

/** As lines of redis.conf, what only a person can use in comments. */
export function renderKeptConfig(config: ServerConfig | null): string {
  if (config === null) return 'how the server was set up is not kept with this backup';
  const directives = Object.entries(config.config).map(
    ([name, value]) => `${name} ${value === '' ? '""' : value}`,
  );
  const lines = [
    `# what it ran with at ${config.at}${config.masked ? ', without passwords and their hashes: the backup is not encrypted' : ''}`,
    ...directives,
    ...(config.acl === null ? [] : ['', '# its users', ...config.acl]),
    ...config.files.flatMap(({ path, text }) => ['', `# ${path}`, ...text.replace(/\n$/, '').split('\n')]),
    ...(config.missing.length === 0
      ? []
      : ['', '# could not be seen', ...config.missing.map((each) => `# ${each}`)]),
  ];
  return lines.map(printable).join('\n');
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
