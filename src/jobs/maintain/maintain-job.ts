import type { TaskEntry } from '../../domain/task.ts';
import type { Job } from '../job.ts';
import { taskRules } from './rules.ts';
import type { MaintainOptions } from './maintain.ts';

export const maintainJob: Job<MaintainOptions, TaskEntry[]> = {
  name: 'maintain',
  effect: 'work',
  unrecorded: true,
  command: 'maintenance list',
  lock: 'maintain',
  uses: [],
  rules: taskRules,
  schedule: () => ({
    cron: '7 * * * *',
    jitter: 0,
    lastDone: () => 'never',
    start: (run) => run(maintainJob, {}),
  }),
  run: async (context, options) => await (await import('./maintain.ts')).maintain(context, options),
};
