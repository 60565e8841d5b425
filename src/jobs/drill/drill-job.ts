import type { DrillOutcome } from '../../domain/drill.ts';
import { longPatience, type Job } from '../job.ts';
import { brokenRule, overdueRule, skippedRule } from './rules.ts';
import { drillName } from './last-drill.ts';
import type { DrillOptions } from './drill.ts';

/**
 * Rehearses a restore: fetches and decodes a backup, checks it, loads it into a scratch server, compares, and times it.
 * Holds the repository's lock: it and a backup would take each other's memory and time.
 */
export const drillJob: Job<DrillOptions, DrillOutcome> = {
  name: drillName,
  effect: 'work',
  command: 'drill',
  lock: 'repository',
  urgency: 'yields',
  uses: ['repository'],
  rules: [brokenRule, skippedRule, overdueRule],
  heavy: true,
  schedule: ({ drill: { schedule: cron }, backup }) =>
    cron === null
      ? null
      : {
          cron,
          jitter: backup.jitter,
          lastDone: ({ lastSuccess, now }) => lastSuccess() ?? now,
          patience: longPatience,
          start: (perform) => perform(drillJob, { which: 'latest', allow: [] }),
        },
  run: async (context, options) => await (await import('./drill.ts')).runDrill(context, options),
};
