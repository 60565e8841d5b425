import type { Job } from '../job.ts';
import type { PlanRestoreOptions, PlannedRestore } from './plan-restore.ts';

/** Chooses how to put a backup back, and plans it. Changes nothing. */
export const planRestoreJob: Job<PlanRestoreOptions, PlannedRestore> = {
  name: 'plan-restore',
  effect: 'look',
  command: 'restore --dry-run',
  lock: 'repository',
  uses: ['server', 'repository'],
  rules: [],
  run: async (context, options) => await (await import('./plan-restore.ts')).planRestore(context, options),
};
