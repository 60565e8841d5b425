import type { RemovedObject } from '../../backup/store/store.ts';
import { backupIdTime } from '../../backup/id.ts';
import { AgentError, hasReason } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { Job, JobContext, JobResult } from '../job.ts';
import { counted } from '../../lib/text/counted.ts';

export interface ExpireReport {
  dry_run: boolean;
  /** Backups that were removed, and of which the store keeps old versions. */
  backups: { id: string; versions: number; bytes: number }[];
  /** Versions that are gone now. */
  expired: number;
  freed_bytes: number;
  /** What the store would not give up, and why; an object lock, as a rule. */
  kept: { key: string; why: string }[];
}

/**
 * Removes for good what a bucket with versions keeps of backups that were removed. Old versions of what is there stay:
 * the agent never writes over anything, so who did is not to be helped.
 */
export const expireVersionsJob: Job<{ dryRun: boolean }, ExpireReport> = {
  name: 'expire-versions',
  effect: ({ dryRun }) => (dryRun ? 'look' : 'work'),
  command: 'backups prune --old-versions',
  lock: 'repository',
  uses: ['repository'],
  rules: [],
  run,
};

async function run(
  { repository, signal, progress }: JobContext,
  { dryRun }: { dryRun: boolean },
): Promise<JobResult<ExpireReport>> {
  const { store, instance } = repository;
  if (store.removed === undefined)
    throw new AgentError('refused', `${store.description} keeps no versions of what is removed`, {
      reason: 'unversioned',
    });
  const found = new Map<string, RemovedObject[]>();
  for await (const object of store.removed.list(instance, { signal })) {
    const [, id = '', name, ...deeper] = object.key.split('/');
    if (backupIdTime(id) === undefined || name === undefined || deeper.length > 0) continue;
    found.set(id, [...(found.get(id) ?? []), object]);
  }
  const backups = [...found].map(([id, versions]) => ({
    id,
    versions: versions.length,
    bytes: versions.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
  const report: ExpireReport = { dry_run: dryRun, backups, expired: 0, freed_bytes: 0, kept: [] };
  if (!dryRun) {
    const total = backups.reduce((sum, { versions }) => sum + versions, 0);
    for (const object of [...found.values()].flat()) {
      try {
        await store.removed.expire(object, { signal });
        report.expired += 1;
        report.freed_bytes += object.bytes;
      } catch (error) {
        if (!hasReason(error, 'denied')) throw error;
        report.kept.push({ key: object.key, why: error.message });
      }
      progress.report({ phase: 'removing', done: report.expired, total });
    }
  }
  return {
    value: report,
    summary: `${counted(report.expired, 'old version')} of ${counted(backups.length, 'backup')} removed, ${formatBytes(report.freed_bytes)} freed`,
    findings: [],
    evaluated: [],
  };
}
