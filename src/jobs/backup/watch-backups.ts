import type { Finding } from '../../domain/finding.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { backupIdTime, isAhead } from '../../backup/id.ts';
import { judgeDrillAge } from '../drill/findings.ts';
import { overdueRule } from '../drill/rules.ts';
import { often, type Job, type JobContext, type JobResult } from '../job.ts';
import { judgeShrinkage } from './judge-shrinkage.ts';
import { shrinkRule, staleRule } from './rules.ts';

export interface BackupAge {
  /** null when there is none. */
  newest: string | null;
  /** Seconds. */
  age: number | null;
}

/**
 * Looks at the repository itself, not at our own history: is the newest backup young enough, and of a likely size? And is
 * the last drill young enough, as far as the history tells?
 */
export const watchBackupsJob: Job<object, BackupAge> = {
  name: 'watch-backups',
  effect: 'work',
  unrecorded: true,
  command: 'check',
  lock: 'watch',
  uses: ['repository'],
  rules: [staleRule, shrinkRule, overdueRule],
  schedule: ({ backup }) => ({
    cron: often,
    jitter: 0,
    // At once, except where the first backup is about to be taken: that there is none is no news then.
    lastDone: async ({ newestBackup }) =>
      backup.schedule !== null && (await newestBackup()) === 'never' ? undefined : 'never',
    start: (perform) => perform(watchBackupsJob, {}),
  }),
  run,
};

async function run(context: JobContext): Promise<JobResult<BackupAge>> {
  const { repository, clock, signal } = context;
  const { backups } = await repository.list(signal);
  // One taken while the clock was wrong would keep the silence for as long as it lies in the future.
  const now = clock.now();
  const newest = backups.findLast(({ state, id }) => state === 'complete' && !isAhead(id, now));
  const age = newest === undefined ? null : now - (backupIdTime(newest.id) ?? 0);
  return {
    value: { newest: newest?.id ?? null, age: age === null ? null : age / 1000 },
    summary: newest === undefined ? 'no backup yet' : `newest backup ${newest.id}`,
    findings: [
      ...judgeAge(context, newest?.id, age),
      ...judgeShrinkage(context, backups),
      ...judgeDrillAge(context),
    ],
    evaluated: [{ rules: [staleRule.id, shrinkRule.id, overdueRule.id] }],
  };
}

function judgeAge(
  { instance, settings }: JobContext,
  newest: string | undefined,
  age: number | null,
): Finding[] {
  const limit = settings.backup.stale_after;
  if (age !== null && age <= limit) return [];
  const summary =
    age === null
      ? 'there is no backup'
      : `the newest backup is ${formatDuration(age)} old (limit ${formatDuration(limit)})`;
  return [
    {
      instance: instance.name,
      rule: staleRule.id,
      resource: instance.name,
      severity: 'critical',
      summary,
      remedy: 'see why with: redis-agent check, then take one: redis-agent backup',
      evidence: { newest: newest ?? null, age_seconds: age === null ? null : Math.round(age / 1000) },
    },
  ];
}
