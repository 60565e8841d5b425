import type { Rule } from '../../domain/rule.ts';

/** What is raised about fetching a backup into a folder. */
export const fetchRules: readonly Rule[] = [
  {
    id: 'fetch-failed',
    severity: 'critical',
    title: 'a backup could not be fetched',
    why: 'What keeps it from being read back keeps it from being restored.',
    page: 'docs/findings/restore.md',
  },
];
