import { AgentError } from '../../domain/errors.ts';
import { interruption } from '../job.ts';
import { interruptedRule } from './rules.ts';

/** What a restore says about itself, by either method: for the history and its findings they are one. */
export const restoreDeclaration = {
  name: 'restore',
  effect: ({ dryRun }: { dryRun: boolean }) => (dryRun ? ('look' as const) : ('work' as const)),
  command: 'restore',
  lock: 'repository',
  urgency: 'urgent',
  uses: ['server', 'repository'],
  rules: [interruptedRule],
  causes: interruption,
  /** Who was refused asked for it, and was told. */
  isNews: (_: object, error: unknown) => !(error instanceof AgentError && error.code === 'refused'),
} as const;
