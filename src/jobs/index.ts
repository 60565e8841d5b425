import { checkAofJob } from './aof/check-aof.ts';
import { backupAofJob } from './backup/backup-aof.ts';
import { backupJob } from './backup/backup.ts';
import { expireVersionsJob } from './backup/expire-versions.ts';
import { pruneJob } from './backup/prune.ts';
import { watchBackupsJob } from './backup/watch-backups.ts';
import { drillJob } from './drill/drill.ts';
import { auditJob, quietAuditJob } from './harden/audit.ts';
import { applyHardenJob } from './harden/apply-job.ts';
import { driftJob, enforceJob } from './harden/drift.ts';
import { planHardenJob } from './harden/harden-job.ts';
import { rollbackHardenJob } from './harden/rollback-job.ts';
import { rotatePasswordJob } from './harden/rotate-password.ts';
import { fetchBackupJob } from './fetch/fetch-backup.ts';
import type { AnyJob } from './job.ts';
import { maintainJob } from './maintain/maintain.ts';
import { publishStatusJob } from './maintain/publish-status.ts';
import { proveJob, verifyJob } from './prove/verify.ts';
import { recoverLiveJob } from './restore/live/recover-live.ts';
import { planRestoreJob } from './restore/plan-restore.ts';
import { restoreJob } from './restore/restore.ts';
import { undoLiveJob } from './restore/undo-live.ts';
import { watchRestoresJob } from './restore/watch-restores.ts';

/** Every job, in the order in which `status` shows when they are due. A live restore is the job `restore`, by another method. */
export const jobs: readonly AnyJob[] = [
  recoverLiveJob,
  watchRestoresJob,
  watchBackupsJob,
  backupJob,
  backupAofJob,
  proveJob,
  pruneJob,
  expireVersionsJob,
  verifyJob,
  drillJob,
  checkAofJob,
  maintainJob,
  publishStatusJob,
  auditJob,
  quietAuditJob,
  driftJob,
  enforceJob,
  planHardenJob,
  applyHardenJob,
  rollbackHardenJob,
  rotatePasswordJob,
  planRestoreJob,
  restoreJob,
  undoLiveJob,
  fetchBackupJob,
];
