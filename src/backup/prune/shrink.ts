/** What a backup held, for comparing it with the one before. */
export interface BackupSize {
  id: string;
  /** Over all databases. */
  keys: number;
  /** Of the plain dump, or of the archive of the append only file. */
  bytes: number;
  /** Somebody said that this size is right (`backups accept`). */
  accepted: boolean;
}

export interface Shrinkage {
  id: string;
  /** The newest good backup before it, which it is compared with. */
  baseline: BackupSize;
  summary: string;
}

/** Data sets below this swing widely for good reasons; only their vanishing is worth a word. */
const smallKeys = 100;
const smallBytes = 1024 * 1024;

/**
 * Finds backups that are suspiciously smaller than the newest good one before them: keys or bytes fell by more than
 * `share` (0..1; 1 or more switches it off), or the keys are all gone. Oldest first in, by id out. All that follow a
 * shrunken one are compared with the same good baseline, so a wiped server does not become the new normal by itself:
 * its size must recover, or be accepted.
 */
export function findShrunken(oldestFirst: readonly BackupSize[], share: number): Map<string, Shrinkage> {
  const shrunken = new Map<string, Shrinkage>();
  let baseline: BackupSize | undefined;
  for (const backup of oldestFirst) {
    const summary = baseline === undefined || backup.accepted ? undefined : compare(baseline, backup, share);
    if (baseline === undefined || summary === undefined) baseline = backup;
    else shrunken.set(backup.id, { id: backup.id, baseline, summary });
  }
  return shrunken;
}

function compare(before: BackupSize, after: BackupSize, share: number): string | undefined {
  if (share >= 1) return undefined;
  const fell = (from: number, to: number): boolean => to < from * (1 - share);
  const keysFell =
    before.keys >= smallKeys ? fell(before.keys, after.keys) : before.keys > 0 && after.keys === 0;
  if (keysFell) return `keys fell from ${before.keys} to ${after.keys}`;
  if (before.bytes >= smallBytes && fell(before.bytes, after.bytes))
    return `size fell from ${before.bytes} to ${after.bytes} bytes`;
  return undefined;
}
