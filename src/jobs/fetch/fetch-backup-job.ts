import type { Job } from '../job.ts';
import type { FetchOptions, FetchReport } from './fetch-backup.ts';

/** Fetches, decrypts and decodes one backup into a file or folder for whoever runs it; proves it on the way. Touches no server. */
export const fetchBackupJob: Job<FetchOptions, FetchReport> = {
  name: 'fetch',
  effect: 'look',
  command: 'restore --to DIR',
  lock: 'fetch',
  uses: ['repository'],
  rules: [],
  run: async (context, options) => await (await import('./fetch-backup.ts')).fetchBackup(context, options),
};
