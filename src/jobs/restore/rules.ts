import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/restore.md';

export const interruptedRule: Rule = {
  id: 'restore-interrupted',
  severity: 'critical',
  title: 'a restore was cut off and waits to be ended',
  why: 'The server is down, or follows nobody and refuses writes, until the restore goes on or back.',
  page,
};

/** What is raised about restores. */
export const restoreRules: readonly Rule[] = [
  interruptedRule,
  {
    id: 'restore-failed',
    severity: 'critical',
    title: 'the last restore failed',
    why: 'The server has its old data, or is down: the error says which.',
    page,
  },
  {
    id: 'recover-restore-failed',
    severity: 'critical',
    title: 'a live restore that was cut off could not be ended',
    why: 'The server may still be a replica of nobody and refuse writes.',
    page,
  },
  {
    id: 'watch-restores-failed',
    severity: 'critical',
    title: 'nobody could see whether a restore was cut off',
    why: 'A server that such a restore has left would stay as it is.',
    page,
  },
];
