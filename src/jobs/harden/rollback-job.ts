import { AgentError } from '../../domain/errors.ts';
import { interruption, type Job } from '../job.ts';
import { hardenRules } from './rules.ts';
import type { RollbackOptions, RollbackReport } from './rollback-harden.ts';

/** Puts files, byte for byte, and values back as they were before a change. */
export const rollbackHardenJob: Job<RollbackOptions, RollbackReport> = {
  name: 'harden-rollback',
  effect: ({ dryRun }) => (dryRun ? 'look' : 'work'),
  command: 'harden rollback',
  lock: 'harden',
  uses: ['server'],
  causes: interruption,
  rules: hardenRules.filter(({ id }) => id === 'harden-rollback-failed'),
  isNews: (_, error) => !(error instanceof AgentError && ['refused', 'redis', 'usage'].includes(error.code)),
  run: async (context, options) =>
    await (await import('./rollback-harden.ts')).rollBackHarden(context, options),
};
