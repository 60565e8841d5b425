import { AgentError } from '../../domain/errors.ts';

/** What a restore says about itself, by either method: for the history and its findings they are one. */
export const restoreDeclaration = {
  name: 'restore',
  effect: ({ dryRun }: { dryRun: boolean }) => (dryRun ? ('look' as const) : ('work' as const)),
  command: 'restore',
  lock: 'repository',
  urgency: 'urgent',
  uses: ['server', 'repository'],
  rules: [],
  causes: [
    'server-down',
    'server-busy',
    'server-loading',
    'restart-loop',
    'role-changed',
    'master-link',
    'replicas-lost',
    'writes-refused',
    'connection-failures',
    'round-trip',
  ],
  /** Who was refused asked for it, and was told. */
  isNews: (_: object, error: unknown) => !(error instanceof AgentError && error.code === 'refused'),
} as const;
