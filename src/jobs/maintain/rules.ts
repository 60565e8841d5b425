import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/maintenance.md';

export const taskDue: Rule = {
  id: 'task-due',
  severity: 'info',
  title: 'a maintenance task is due',
  why: 'Rotations keep a server from drifting: what nobody looks at changes unseen.',
  page,
};

export const taskOverdue: Rule = {
  id: 'task-overdue',
  severity: 'warning',
  title: 'a maintenance task is overdue',
  why: 'It was due, and neither done nor skipped with a reason.',
  page,
};

export const taskEvidence: Rule = {
  id: 'task-evidence',
  severity: 'warning',
  title: 'a maintenance task found something that is not in order',
  why: 'The agent did what it can of the task, and what it saw needs somebody.',
  page,
};

const failed: Rule = {
  id: 'maintain-failed',
  severity: 'critical',
  title: 'the maintenance rotations could not be gone through',
  why: 'What is due is neither done nor told.',
  page,
};

/** What a look at the rotations can find. */
export const taskRules: readonly Rule[] = [taskDue, taskOverdue, taskEvidence];

export const maintenanceRules: readonly Rule[] = [...taskRules, failed];
