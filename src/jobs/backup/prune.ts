import { planRetention, type RetentionCandidate, type RetentionDecision } from '../../backup/prune/policy.ts';
import { backupIdTime, isAhead } from '../../backup/id.ts';
import type { BackupEntry } from '../../backup/repository.ts';
import { plainNames, type BackupKind } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import type { Job, JobContext, JobResult } from '../job.ts';
import { shrunkenOf } from './judge-shrinkage.ts';
import { damagedRule, unprovenRule } from '../prove/rules.ts';
import { counted } from '../../lib/text/counted.ts';

export interface PruneOptions {
  dryRun: boolean;
}

export interface PruneReport {
  /** Newest first. */
  decisions: (RetentionDecision & { kind: BackupKind; bytes: number })[];
  removed: string[];
  freed_bytes: number;
}

/** Removes the backups that the retention policy lets go, oldest first. */
export const pruneJob: Job<PruneOptions, PruneReport> = {
  name: 'prune',
  effect: ({ dryRun }) => (dryRun ? 'look' : 'work'),
  command: 'backups prune',
  lock: 'repository',
  uses: ['repository'],
  rules: [damagedRule, unprovenRule],
  run,
};

async function run(context: JobContext, { dryRun }: PruneOptions): Promise<JobResult<PruneReport>> {
  const { repository, settings, clock, signal, log } = context;
  const { backups } = await repository.list(signal);
  const when = { now: clock.now(), timezone: settings.timezone ?? localTimezone() };
  const candidates = candidatesOf(backups, settings.backup.shrink_alert, when.now);
  // Each kind by itself: what one is good for, the other may not be.
  const plan = [...Map.groupBy(candidates, ({ kind }) => kind)]
    .flatMap(([kind, group]) =>
      planRetention(group, settings.backup.retention, when).map((decision) => ({ ...decision, kind })),
    )
    .toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const byId = new Map(backups.map((entry) => [entry.id, entry]));
  const decisions = plan.map((decision) => ({ ...decision, bytes: bytesOf(byId.get(decision.id)) }));

  if (!dryRun && decisions.some(({ keep }) => !keep)) await requireThere(context, decisions, byId);
  const removed: string[] = [];
  let freed = 0;
  for (const { id, keep, reason, bytes } of decisions.toReversed()) {
    const entry = byId.get(id);
    if (keep || dryRun || entry === undefined) continue;
    await repository.remove(entry, signal);
    log.info({ backup: id, reason }, 'backup removed');
    removed.push(id);
    freed += bytes;
  }
  return {
    value: { decisions, removed, freed_bytes: freed },
    summary: `${removed.length} of ${counted(decisions.length, 'backup')} removed, ${formatBytes(freed)} freed`,
    findings: [],
    // What was said of a backup that is gone is settled.
    evaluated: [{ rules: [damagedRule.id, unprovenRule.id], resources: removed }],
  };
}

/**
 * Asks by their names for the newest that stay, since others go because of them: a listing may still show what somebody
 * has removed. Throws an AgentError when one of them is not there.
 */
async function requireThere(
  { repository, settings, signal }: JobContext,
  decisions: PruneReport['decisions'],
  byId: ReadonlyMap<string, BackupEntry>,
): Promise<void> {
  const staying = decisions.flatMap(({ id, keep }) => {
    const entry = byId.get(id);
    return keep && entry?.state === 'complete' ? [entry] : [];
  });
  for (const { id, manifest } of staying.slice(0, Math.max(1, settings.backup.retention.keep_min)))
    for (const artefact of manifest.artefacts) {
      const key = repository.artefactKey(id, artefact);
      const object = await repository.store.stat(key, { signal });
      if (object?.bytes === artefact.stored.bytes) continue;
      throw new AgentError(
        'repository',
        `${repository.store.description} lists ${key}, and it is not there: nothing was removed`,
        {
          reason: 'missing',
          hint: 'does something else remove objects there? See: redis-agent backups verify --all',
        },
      );
    }
}

/** Incomplete ones are the backup job's to clear, and a newer agent's are not ours to judge. */
function candidatesOf(
  backups: readonly BackupEntry[],
  shrinkAlert: number,
  now: number,
): (RetentionCandidate & { kind: BackupKind })[] {
  const shrunken = shrunkenOf(backups, shrinkAlert);
  return backups.flatMap((entry) => {
    if (entry.state === 'incomplete' || entry.state === 'newer') return [];
    const verifications = entry.state === 'complete' ? entry.verifications : [];
    const last = verifications.at(-1);
    // A later look at the stored bytes alone neither takes from what was found in them nor mends it.
    const content = verifications.findLast(({ level }) => level !== 'stored');
    return [
      {
        id: entry.id,
        kind: kindOf(entry),
        at: backupIdTime(entry.id) ?? 0,
        ahead: isAhead(entry.id, now),
        sound: entry.state === 'complete' && last?.ok !== false && content?.ok !== false,
        proven: last?.ok === true && content?.ok === true,
        shrunken: shrunken.has(entry.id),
      },
    ];
  });
}

/** Of one whose manifest cannot be read, its objects tell. */
function kindOf({ objects }: BackupEntry): BackupKind {
  return objects.some(({ key }) => key.includes(`/${plainNames.aof}`)) ? 'aof' : 'rdb';
}

function bytesOf(entry: BackupEntry | undefined): number {
  return entry?.objects.reduce((sum, object) => sum + object.bytes, 0) ?? 0;
}
