import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/harden.md';

/** What changing servers raises. */
export const hardenRules: readonly Rule[] = [
  {
    id: 'harden-failed',
    severity: 'high',
    title: 'a change of a server broke off',
    why: 'The server and its files were taken back to what they were, or the next run does it.',
    page,
  },
  {
    id: 'harden-rollback-failed',
    severity: 'high',
    title: 'taking a change of a server back broke off',
    why: 'Some of the files or values are those of before, and the next run goes on with the others.',
    page,
  },
];
