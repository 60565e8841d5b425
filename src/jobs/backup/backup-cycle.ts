import type { Manifest } from '../../domain/backup.ts';
import { AgentError, argumentsOf } from '../../domain/errors.ts';
import type { Settings } from '../../domain/settings.ts';
import type { RunJob } from '../job.ts';
import { proveJob } from '../prove/verify-job.ts';
import type { VerifyVerdict } from '../prove/verify.ts';
import type { BackupJob, BackupOptions } from './backup-options.ts';
import { pruneJob, type PruneReport } from './prune.ts';

export interface BackupCycleOptions extends BackupOptions {
  verify: boolean;
  prune: boolean;
}

export interface BackupCycleReport {
  backup: Manifest;
  verification?: VerifyVerdict;
  pruned?: PruneReport;
}

/** What came after a backup that is stored has failed. */
export class FailedAfterBackup extends AgentError {}

/** Backup, proof, prune, in this order: nothing old goes before something newer has been proven. */
export async function runBackupCycle(
  run: RunJob,
  job: BackupJob,
  settings: Settings,
  options: BackupCycleOptions,
): Promise<BackupCycleReport> {
  return await followUp(run, settings, options, { backup: await run(job, options) });
}

/** What comes after a backup that is stored: its proof, and then the prune. */
export async function followUp(
  run: RunJob,
  settings: Settings,
  options: BackupCycleOptions,
  report: BackupCycleReport,
): Promise<BackupCycleReport> {
  try {
    return await proveAndPrune(run, settings, options, report);
  } catch (error) {
    throw afterBackup(error, report.backup.id);
  }
}

async function proveAndPrune(
  run: RunJob,
  settings: Settings,
  options: BackupCycleOptions,
  report: BackupCycleReport,
): Promise<BackupCycleReport> {
  if (options.verify) {
    const depth = settings.verify.load ? 'loaded' : 'checked';
    const { verdicts } = await run(proveJob, { which: report.backup.id, depth });
    const [verification] = verdicts;
    if (verification !== undefined) report.verification = verification;
    if (verification?.verdict !== 'ok') return report;
  }
  if (options.prune) report.pruned = await run(pruneJob, { dryRun: false });
  return report;
}

/** Whoever reads the error must know that there is a backup all the same. */
function afterBackup(error: unknown, id: string): unknown {
  if (!(error instanceof AgentError)) return error;
  const { code, message, hint, reason, holder } = error;
  const told = `backup ${id} is stored, but then: ${message}`;
  return new FailedAfterBackup(...argumentsOf({ code, message: told, hint, reason, holder, cause: error }));
}
