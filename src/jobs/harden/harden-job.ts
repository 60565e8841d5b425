import type { HardenPlan } from '../../harden/changes.ts';
import type { Job } from '../job.ts';
import type { PlanOptions } from './plan-harden.ts';

/** What `harden apply` would do, and why. Changes nothing. */
export const planHardenJob: Job<PlanOptions, HardenPlan> = {
  name: 'harden-plan',
  effect: 'look',
  command: 'harden plan',
  lock: 'harden',
  uses: ['server'],
  rules: [],
  run: async (context, options) => await (await import('./plan-harden.ts')).planHarden(context, options),
};
