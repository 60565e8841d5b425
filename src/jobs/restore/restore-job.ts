import type { Job } from '../job.ts';
import { restoreDeclaration } from './declaration.ts';
import type { RestoreOptions, RestoreReport } from './files/look-at-server.ts';

/** Puts a backup, or what the last restore has set aside, in the place of an instance's data. */
export const restoreJob: Job<RestoreOptions, RestoreReport> = {
  ...restoreDeclaration,
  run: async (context, options) => await (await import('./restore.ts')).restoreByFiles(context, options),
};
