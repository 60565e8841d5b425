import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/backup.md';

export const staleRule: Rule = {
  id: 'backup-stale',
  severity: 'critical',
  title: 'the newest backup is too old, or there is none',
  why: 'Whatever was written since the newest backup is gone if the server’s disk is.',
  page,
};

export const shrinkRule: Rule = {
  id: 'backup-shrunken',
  severity: 'critical',
  title: 'the newest backup is much smaller than the ones before',
  why: 'Data that vanished from the server vanishes from the backups too, as soon as the older ones are let go.',
  page,
};

/** What is raised about taking backups, letting them go and watching them. */
export const backupRules: readonly Rule[] = [
  staleRule,
  shrinkRule,
  {
    id: 'backup-failed',
    severity: 'critical',
    title: 'the last backup of a snapshot failed',
    why: 'No new recovery point is made until the cause is put right.',
    page,
  },
  {
    id: 'backup-aof-failed',
    severity: 'critical',
    title: 'the last backup of the append only file failed',
    why: 'No new recovery point of this kind is made until the cause is put right.',
    page,
  },
  {
    id: 'prune-failed',
    severity: 'critical',
    title: 'old backups could not be let go',
    why: 'The repository grows until it is full, and then no new backup fits into it.',
    page,
  },
  {
    id: 'expire-versions-failed',
    severity: 'critical',
    title: 'old versions could not be removed for good',
    why: 'The bucket keeps what was removed, and grows.',
    page,
  },
  {
    id: 'watch-backups-failed',
    severity: 'critical',
    title: 'the repository could not be looked at',
    why: 'Nobody knows whether the newest backup is young enough and whole, and the next one may fail for the same cause.',
    page,
  },
];
