import { AgentError } from '../../domain/errors.ts';
import type { Job } from '../job.ts';
import { rotationRules } from './rotate-rules.ts';
import type { RotateOptions, RotationResult } from './rotate-password.ts';

/**
 * A new password for one user on every node, while clients go on: both are valid until the consumers have been told and old
 * connections have ended. Everything that can be refused is refused first. What was cut short is gone on with by the same
 * command, and the new password is the one that was made then.
 */
export const rotatePasswordJob: Job<RotateOptions, RotationResult> = {
  name: 'rotate-password',
  effect: ({ dryRun }) => (dryRun ? 'look' : 'work'),
  command: 'rotate-password USER',
  lock: 'harden',
  uses: ['server'],
  rules: rotationRules,
  // A plan that was refused is news to who asked alone.
  isNews: (_options, error) => !(error instanceof AgentError && ['refused', 'usage'].includes(error.code)),
  run: async (context, options) =>
    await (await import('./rotate-password.ts')).rotatePassword(context, options),
};
