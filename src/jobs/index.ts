import { checkAofJob } from './aof/check-aof-job.ts';
import { backupAofJob } from './backup/backup-aof-job.ts';
import { backupJob } from './backup/backup-job.ts';
import { expireVersionsJob } from './backup/expire-versions.ts';
import { pruneJob } from './backup/prune.ts';
import { watchBackupsJob } from './backup/watch-backups.ts';
import { drillJob } from './drill/drill-job.ts';
import { auditJob, quietAuditJob } from './harden/audit-job.ts';
import { applyHardenJob } from './harden/apply-job.ts';
import { driftJob, enforceJob } from './harden/drift-job.ts';
import { planHardenJob } from './harden/harden-job.ts';
import { rollbackHardenJob } from './harden/rollback-job.ts';
import { rotatePasswordJob } from './harden/rotate-password-job.ts';
import { fetchBackupJob } from './fetch/fetch-backup-job.ts';
import type { AnyJob } from './job.ts';
import { maintainJob } from './maintain/maintain-job.ts';
import { publishStatusJob } from './maintain/publish-status.ts';
import { proveJob, verifyJob } from './prove/verify-job.ts';
import { recoverLiveJob } from './restore/live/recover-live.ts';
import { planRestoreJob } from './restore/plan-restore-job.ts';
import { restoreJob } from './restore/restore-job.ts';
import { undoLiveJob } from './restore/undo-live-job.ts';
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
