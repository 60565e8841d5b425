import type { Rule } from '../../domain/rule.ts';

export const rotationRules: readonly Rule[] = [
  {
    id: 'rotate-password-failed',
    severity: 'critical',
    title: 'a password rotation has not come to its end',
    why: 'Two passwords are valid until it is run again, and not every client may know the new one.',
    page: 'docs/findings/rotation.md',
  },
];
