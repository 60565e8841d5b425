import type { BackupKind } from '../../domain/backup.ts';
import type { DrillRecord, RestoreEstimate } from '../../domain/drill.ts';

/** Below this a restore's time is that of starting and asking, whatever it holds. */
const smallest = 16 * 1024 * 1024;

/**
 * How long a restore of a backup of `bytes` should take, from the last drill that came to its end. By files, a backup is
 * loaded twice: once to prove it, which for a dump goes on while it is read, and once for good; a load makes the check
 * tool's reading needless, so that is not counted. Live it is read twice, and loaded once.
 */
export function estimateRestore(
  drill: DrillRecord | undefined,
  bytes: number,
  { method, kind }: { method: 'files' | 'live'; kind: BackupKind },
): RestoreEstimate | null {
  if (drill?.ok !== true || drill.recovery_seconds === null) return null;
  const { fetch, decode, load } = drill.seconds;
  const read = fetch + decode;
  const loaded = load ?? 0;
  const proven = kind === 'rdb' ? Math.max(read, loaded) : read + loaded;
  const once = method === 'files' ? proven + loaded : 2 * read + loaded;
  const factor = Math.max(bytes, smallest) / Math.max(drill.bytes, smallest);
  return {
    seconds: Math.max(1, Math.round(once * factor * 10)) / 10,
    drill: {
      backup: drill.backup,
      at: drill.at,
      bytes: drill.bytes,
      recovery_seconds: drill.recovery_seconds,
    },
  };
}
