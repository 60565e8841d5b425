import { randomInt } from 'node:crypto';
import { makeBackupId } from '../../backup/id.ts';
import { judgeWriter } from '../../backup/judge-writer.ts';
import type { Listing } from '../../backup/repository.ts';
import type { Artefact, BackupKind, Manifest, ServerIdentity } from '../../domain/backup.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { JobContext } from '../job.ts';

/** Longest wait for a store that is to take back what a failed backup left. Milliseconds. */
const discardTimeout = 10_000;

/** Sorts after the newest there is, also within the same second. `now` is the server's, in milliseconds. */
export function nextId(now: number, newest: string | undefined): string {
  const second = makeBackupId(now, 0).slice(0, -4);
  const from = newest?.startsWith(second) === true ? Number.parseInt(newest.slice(-4), 16) + 1 : 0;
  return from > 0xffff ? makeBackupId(now + 1000, 0) : makeBackupId(now, randomInt(from, 0x1_0000));
}

/** Throws an AgentError `refused` when the newest backup is of another host or server that runs beside this one. */
export function refuseForeignPrefix(context: JobContext, listing: Listing, server: ServerIdentity): void {
  const newest = listing.backups.findLast((entry) => entry.state === 'complete')?.manifest;
  const reason = judgeWriter(newest, {
    writer: context.writer,
    server,
    now: context.clock.now(),
  });
  if (reason === undefined) return;
  const { instance, store } = context.repository;
  throw new AgentError(
    'refused',
    `${store.description} is in use by another agent for instance ${instance}: ${reason}`,
    {
      reason: 'foreign-writer',
      hint: 'give this instance a name or repository of its own, or, when it replaces that one, run: redis-agent backup --take-over',
    },
  );
}

/** What a killed run left: temporary files, uploads, artefacts without a manifest. The lock is ours, so none is in use. */
export async function clearLeftOvers(
  { repository, clock, log, signal }: JobContext,
  listing: Listing,
): Promise<void> {
  const swept = await repository.sweep(new Date(clock.now()), signal);
  const incomplete = listing.backups.filter((entry) => entry.state === 'incomplete');
  const cleared = swept;
  for (const entry of incomplete) {
    // Asked for by its name once more: a listing says nothing of what it leaves out, and what goes here is gone.
    if (await repository.exists(entry.id, signal)) continue;
    await repository.remove(entry, signal);
    cleared.push(entry.id);
  }
  if (cleared.length > 0) log.info({ cleared }, 'cleared what an interrupted backup had left');
}

/** Fails before the upload, and not in the middle of it, when a local repository is too full. */
export async function requireRoom(
  { repository, settings }: Pick<JobContext, 'repository' | 'settings'>,
  listing: Listing,
  { kind, bytes }: { kind: BackupKind; bytes: number },
): Promise<void> {
  const free = await repository.store.free();
  if (free === undefined) return;
  const share = settings.repository.compression === 'none' ? 1 : shareOfLast(listing, kind) * 1.1;
  // Encryption adds less than a thousandth.
  const needed = Math.ceil(bytes * Math.min(share, 1.1) * 1.001) + 1024 * 1024;
  if (free >= needed) return;
  throw new AgentError(
    'repository',
    `${repository.store.description} has ${formatBytes(free)} free, and a backup needs about ${formatBytes(needed)}`,
    {
      reason: 'full',
      hint: 'free some space or move the repository, or keep fewer days (backup.retention) and run: redis-agent backups prune',
    },
  );
}

/** What compression left of the newest of that kind which is compressed. */
function shareOfLast({ backups }: Listing, kind: BackupKind): number {
  const last = backups
    .flatMap((entry) => (entry.state === 'complete' ? [entry.manifest] : []))
    .filter((manifest) => manifest.kind === kind)
    .flatMap(({ artefacts }) => artefacts)
    .findLast(({ compression }) => compression.algorithm !== 'none');
  return last === undefined || last.plain.bytes === 0 ? 0.7 : last.stored.bytes / last.plain.bytes;
}

/** Commits what was stored. What a failure leaves is taken back at once: on a full disk it would stand in the way. */
export async function commitBackup(
  { repository, signal, log }: JobContext,
  id: string,
  artefact: Artefact,
  describe: () => Promise<Manifest>,
): Promise<Manifest> {
  try {
    const key = repository.artefactKey(id, artefact);
    const object = await repository.store.stat(key, { signal });
    if (object?.bytes !== artefact.stored.bytes)
      throw new AgentError(
        'repository',
        `${key} has ${object?.bytes ?? 'no'} bytes in ${repository.store.description}, and ${artefact.stored.bytes} were sent`,
        { reason: 'truncated', hint: 'does something else write to or expire objects below this prefix?' },
      );
    const manifest = await describe();
    await repository.writeManifest(manifest, signal);
    return manifest;
  } catch (error) {
    await repository.discard(id, AbortSignal.timeout(discardTimeout)).catch((cause: unknown) => {
      log.warn({ backup: id, cause: messageOf(cause) }, 'could not clear up: the next backup will');
    });
    throw error;
  }
}
