import type { Settings } from '../../domain/settings.ts';
import { longPatience, type JobSchedule } from '../job.ts';
import { runBackupCycle } from './backup-cycle.ts';
import type { BackupJob } from './backup-options.ts';
import { mayPass } from './may-pass.ts';
import { shrinkRule, staleRule } from './rules.ts';

/** Takes one backup: preflight → snapshot → encode → store → manifest. */
export const backupJob: BackupJob = {
  name: 'backup',
  effect: 'work',
  command: 'backup',
  lock: 'repository',
  uses: ['server', 'repository'],
  rules: [shrinkRule, staleRule],
  heavy: true,
  schedule: (settings) => scheduleOf(settings.backup.schedule, settings),
  run: async (context, options) => await (await import('./backup.ts')).takeBackup(context, options),
};

/** The repository is the truth about when the last one was taken. */
function scheduleOf(cron: string | null, settings: Settings): JobSchedule | null {
  if (cron === null) return null;
  const options = {
    verify: settings.verify.after_backup,
    prune: true,
    skipPreflight: false,
    takeOver: false,
  };
  return {
    cron,
    jitter: settings.backup.jitter,
    lastDone: ({ newestBackup }) => newestBackup(),
    patience: longPatience,
    start: (perform) => runBackupCycle(perform, backupJob, settings, options),
    mayPass,
  };
}
