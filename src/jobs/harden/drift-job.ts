import { longPatience, type Job } from '../job.ts';
import { hardenRules } from './rules.ts';
import type { Admin } from './inspect-server.ts';
import type { UserDrift } from './user-drift.ts';
import type { Drift, EnforceReport } from './drift.ts';

/** Does what was applied still hold, at run time and in the files? Changes nothing. */
export const driftJob: Job<object, (Drift | UserDrift)[]> = {
  name: 'harden-drift',
  effect: 'work',
  unrecorded: true,
  command: 'harden plan',
  lock: 'harden',
  uses: ['server'],
  rules: hardenRules.filter(({ id }) => id === 'config-drift' || id === 'harden-drift-failed'),
  schedule: ({ harden }) =>
    harden.drift === null
      ? null
      : {
          cron: harden.drift,
          jitter: 60_000,
          lastDone: () => undefined,
          patience: longPatience,
          start: (begin) => begin(driftJob, {}),
        },
  run: async (context) => await (await import('./drift.ts')).lookForDrift(context),
};

/** Puts run-time values back that somebody has changed since the last apply. Files stay as they are. */
export const enforceJob: Job<{ admin: Admin | undefined }, EnforceReport> = {
  name: 'harden-enforce',
  effect: 'work',
  command: 'harden enforce',
  lock: 'harden',
  uses: ['server'],
  rules: hardenRules.filter(({ id }) => id === 'harden-enforce-failed'),
  run: async (context, options) => await (await import('./drift.ts')).enforce(context, options),
};
