import type { Job } from '../job.ts';
import { damagedRule, unprovenRule } from './rules.ts';
import type { VerifyOptions, VerifyReport } from './verify.ts';

/** Reads stored backups back and proves them. What was found is written beside each manifest. */
export const verifyJob: Job<VerifyOptions, VerifyReport> = {
  name: 'verify',
  effect: 'work',
  command: 'backups verify --all',
  lock: 'verify',
  uses: ['repository'],
  rules: [damagedRule, unprovenRule],
  heavy: true,
  schedule: ({ verify, backup }) =>
    verify.schedule === null
      ? null
      : {
          cron: verify.schedule,
          jitter: backup.jitter,
          lastDone: ({ lastSuccess, now }) => lastSuccess() ?? now,
          start: (perform) => perform(verifyJob, { which: 'all', depth: 'checked' }),
        },
  run: async (context, options) => await (await import('./verify.ts')).verify(context, options),
};

/**
 * The same for one backup, with a lock and a history of its own: a proof right after a backup must not wait for a long
 * run over all of them, and is none that a missed one of those could be left out for.
 */
export const proveJob: Job<VerifyOptions, VerifyReport> = {
  name: 'prove',
  effect: 'work',
  command: 'backups verify',
  lock: 'prove',
  uses: ['repository'],
  rules: [damagedRule, unprovenRule],
  run: async (context, options) => await (await import('./verify.ts')).verify(context, options),
};
