import type { Job } from '../job.ts';

/** What an undo puts back, where the last restore was a live one: the backup of what it replaced. Else null. */
export const undoLiveJob: Job<object, string | null> = {
  name: 'plan-undo',
  effect: 'look',
  command: 'restore --undo --dry-run',
  lock: 'repository',
  uses: ['server', 'repository'],
  rules: [],
  run: async (context, options) => await (await import('./undo-live.ts')).planUndo(context, options),
};
