import type { Manifest } from '../../domain/backup.ts';
import type { Job } from '../job.ts';

export interface BackupOptions {
  /** Ask for the snapshot even where the preflight advises against it. */
  skipPreflight: boolean;
  /** Write to a prefix whose newest backup came from another host or server. */
  takeOver: boolean;
  /** As in the manifest. */
  purpose?: string;
}

/** One that takes a backup, of either kind. */
export type BackupJob = Job<BackupOptions, Manifest>;
