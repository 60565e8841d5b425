import { inTheClear, type Manifest } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';

/**
 * Throws an AgentError `refused` where backups of the repository are encrypted and this one is not: whoever can write to the
 * repository can have made it.
 */
export function refuseClear(manifest: Manifest, recipients: readonly string[]): void {
  if (recipients.length === 0 || !inTheClear(manifest)) return;
  throw new AgentError(
    'refused',
    `backup ${manifest.id} is stored in the clear, although encryption is configured: whoever can write to the repository can have made it`,
    {
      reason: 'unencrypted',
      hint: 'take an encrypted one: redis-agent backups list; or insist with --accept-unencrypted',
    },
  );
}
