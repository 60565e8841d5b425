import type { BackupKind, Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { backupAofJob } from '../../jobs/backup/backup-aof.ts';
import { backupJob, type BackupOptions } from '../../jobs/backup/backup.ts';
import { pruneJob, type PruneReport } from '../../jobs/backup/prune.ts';
import { proveJob, type VerifyVerdict } from '../../jobs/prove/verify.ts';
import type { App, RunOptions } from '../build-app.ts';

export interface BackupCycleOptions extends BackupOptions {
  kind: BackupKind;
  verify: boolean;
  prune: boolean;
}

export interface BackupCycleReport {
  backup: Manifest;
  verification?: VerifyVerdict;
  pruned?: PruneReport;
}

/** Backup, proof, prune, in this order: nothing old goes before something newer has been proven. */
export async function runBackupCycle(
  app: App,
  instance: InstanceSettings,
  options: BackupCycleOptions,
  run: RunOptions,
): Promise<BackupCycleReport> {
  const job = options.kind === 'aof' ? backupAofJob : backupJob;
  const report: BackupCycleReport = { backup: await app.run(job, instance, options, run) };
  try {
    return await followUp(app, instance, options, run, report);
  } catch (error) {
    throw afterBackup(error, report.backup.id);
  }
}

async function followUp(
  app: App,
  instance: InstanceSettings,
  options: BackupCycleOptions,
  run: RunOptions,
  report: BackupCycleReport,
): Promise<BackupCycleReport> {
  if (options.verify) {
    const depth = app.settings.verify.load ? 'loaded' : 'checked';
    const { verdicts } = await app.run(proveJob, instance, { which: report.backup.id, depth }, run);
    const [verification] = verdicts;
    if (verification !== undefined) report.verification = verification;
    if (verification?.verdict !== 'ok') return report;
  }
  if (options.prune) report.pruned = await app.run(pruneJob, instance, { dryRun: false }, run);
  return report;
}

/** Whoever reads the error must know that there is a backup all the same. */
function afterBackup(error: unknown, id: string): unknown {
  if (!(error instanceof AgentError)) return error;
  const { code, hint, reason } = error;
  return new AgentError(code, `backup ${id} is stored, but then: ${error.message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(reason === undefined ? {} : { reason }),
  });
}
