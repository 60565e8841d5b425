import { findShrunken, type BackupSize, type Shrinkage } from '../../backup/prune/shrink.ts';
import type { BackupEntry } from '../../backup/repository.ts';
import { totalKeys, type BackupKind } from '../../domain/backup.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Settings } from '../../domain/settings.ts';
import { shrinkRule } from './rules.ts';

const kinds: readonly BackupKind[] = ['rdb', 'aof'];

/** Sizes of the complete backups of one kind, oldest first: those of another are no measure. */
function sizesOf(backups: readonly BackupEntry[], kind: BackupKind): BackupSize[] {
  return backups.flatMap((entry) => {
    if (entry.state !== 'complete' || entry.manifest.kind !== kind) return [];
    const { id, manifest, accepted } = entry;
    const keys = totalKeys(manifest.keyspace.databases);
    return [{ id, keys, bytes: manifest.artefacts[0]?.plain.bytes ?? 0, accepted }];
  });
}

/** The backups that are suspiciously small, by id. Oldest first in. */
export function shrunkenOf(backups: readonly BackupEntry[], share: number): Map<string, Shrinkage> {
  return new Map(kinds.flatMap((kind) => [...findShrunken(sizesOf(backups, kind), share)]));
}

/** A finding when the newest backup of a kind is suspiciously small. */
export function judgeShrinkage(
  { settings, repository }: { settings: Settings; repository: { instance: string } },
  backups: readonly BackupEntry[],
): Finding[] {
  const all = shrunkenOf(backups, settings.backup.shrink_alert);
  const newest = kinds.flatMap((kind) => sizesOf(backups, kind).at(-1)?.id ?? []);
  // One finding an instance has of it: about the newest.
  const shrunken = newest
    .toSorted()
    .map((id) => all.get(id))
    .findLast((found) => found !== undefined);
  if (shrunken === undefined) return [];
  const { id, baseline, summary } = shrunken;
  return [
    {
      instance: repository.instance,
      rule: shrinkRule.id,
      resource: repository.instance,
      severity: 'critical',
      summary: `${summary} since backup ${baseline.id}`,
      remedy: `find out where the data went; when it is right: redis-agent backups accept ${id}`,
      evidence: { id, baseline: baseline.id, keys_before: baseline.keys, bytes_before: baseline.bytes },
    },
  ];
}
