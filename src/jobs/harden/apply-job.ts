import { AgentError } from '../../domain/errors.ts';
import { interruption, type Job } from '../job.ts';
import { hardenRules } from './rules.ts';
import type { ApplyOptions, ApplyReport } from './apply-harden.ts';

export const applyDeclaration = {
  name: 'harden',
  command: 'harden apply',
  effect: 'work',
  lock: 'harden',
  uses: ['server'],
  causes: interruption,
  rules: hardenRules.filter(({ id }) => id === 'harden-failed'),
  /** Who was refused asked for it, and was told. */
  isNews: (_: object, error: unknown) =>
    !(error instanceof AgentError && ['refused', 'redis'].includes(error.code)),
} as const;

/** Brings a server to its policy, and back where anything goes wrong. */
export const applyHardenJob: Job<ApplyOptions, ApplyReport> = {
  ...applyDeclaration,
  run: async (context, options) => await (await import('./apply-harden.ts')).applyHarden(context, options),
};
