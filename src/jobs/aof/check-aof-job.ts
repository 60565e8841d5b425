import type { AofReport } from './examine-aof.ts';
import type { Job } from '../job.ts';
import { aofRules, aofVerdictRules } from './rules.ts';
import type { CheckAofOptions } from './check-aof.ts';

/** Checks an instance's append only file while the server goes on. Reads only; copies are its own. */
export const checkAofJob: Job<CheckAofOptions, AofReport> = {
  name: 'check-aof',
  effect: 'work',
  command: 'aof check',
  lock: 'aof',
  uses: ['server'],
  rules: aofRules.filter(({ id }) => aofVerdictRules.includes(id)),
  heavy: true,
  schedule: ({ aof: { schedule: cron }, backup }) =>
    cron === null
      ? null
      : {
          cron,
          jitter: backup.jitter,
          lastDone: ({ lastSuccess, now }) => lastSuccess() ?? now,
          start: (perform) => perform(checkAofJob, { depth: 'quick', load: false, fixTo: undefined }),
        },
  run: async (context, options) => await (await import('./check-aof.ts')).checkAof(context, options),
};
