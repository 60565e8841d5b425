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
  {
    id: 'config-drift',
    severity: 'warning',
    title: 'a value is not what was applied',
    why: 'Somebody has changed it since: at run time, where the next start undoes it, or in a file, where the next start brings it.',
    page,
  },
  {
    id: 'harden-drift-failed',
    severity: 'warning',
    title: 'nobody could look whether what was applied still holds',
    why: 'A value that somebody changes goes unseen meanwhile.',
    page,
  },
  {
    id: 'harden-enforce-failed',
    severity: 'warning',
    title: 'values that were changed could not be put back',
    why: 'The server runs with other values than those that were applied.',
    page,
  },
];
