import { findShrunken, type BackupSize } from '../backup/prune/shrink.ts';
import type { BackupEntry } from '../backup/repository.ts';
import type { Finding } from '../domain/finding.ts';
import type { Settings } from '../domain/settings.ts';

export const shrinkRule = 'backup-shrunken';

/** Sizes of the complete backups, oldest first. */
export function sizesOf(backups: readonly BackupEntry[]): BackupSize[] {
  return backups.flatMap((entry) => {
    if (entry.state !== 'complete') return [];
    const { id, manifest, accepted } = entry;
    const keys = Object.values(manifest.keyspace.databases).reduce((sum, database) => sum + database.keys, 0);
    return [{ id, keys, bytes: manifest.artefacts[0]?.plain.bytes ?? 0, accepted }];
  });
}

/** A finding when the newest backup is suspiciously small. */
export function judgeShrinkage(
  { settings, repository }: { settings: Settings; repository: { instance: string } },
  backups: readonly BackupEntry[],
): Finding[] {
  const sizes = sizesOf(backups);
  const shrunken = findShrunken(sizes, settings.backup.shrink_alert).get(sizes.at(-1)?.id ?? '');
  if (shrunken === undefined) return [];
  const { id, baseline, summary } = shrunken;
  return [
    {
      instance: repository.instance,
      rule: shrinkRule,
      resource: repository.instance,
      severity: 'critical',
      summary: `${summary} since backup ${baseline.id}`,
      remedy: `find out where the data went; when it is right: redis-agent backups accept ${id}`,
      evidence: { id, baseline: baseline.id, keys_before: baseline.keys, bytes_before: baseline.bytes },
    },
  ];
}
