import type { BackupJob } from './backup-options.ts';
import { shrinkRule, staleRule } from './rules.ts';

/**
 * Takes one backup of the append only file: a consistent view of its files, read and judged, loaded into a scratch server
 * where this host can, and stored as one archive. The server is asked for nothing but INFO and CONFIG GET.
 */
export const backupAofJob: BackupJob = {
  name: 'backup-aof',
  effect: 'work',
  command: 'backup --kind aof',
  lock: 'repository',
  uses: ['server', 'repository'],
  rules: [shrinkRule, staleRule],
  run: async (context, options) => await (await import('./backup-aof.ts')).takeAofBackup(context, options),
};
