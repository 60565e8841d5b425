import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/drill.md';

export const brokenRule: Rule = {
  id: 'drill-broken',
  severity: 'critical',
  title: 'the last rehearsed backup does not restore',
  why: 'A backup that does not come back as it was taken is none.',
  page,
};

export const skippedRule: Rule = {
  id: 'drill-skipped',
  severity: 'warning',
  title: 'this host could not rehearse a restore',
  why: 'Nothing is said of the backup, but nobody knows how long a restore takes or whether it works.',
  page,
};

export const overdueRule: Rule = {
  id: 'drill-overdue',
  severity: 'warning',
  title: 'no restore was rehearsed for too long',
  why: 'Data grows and hosts change: what was proven then may not hold now.',
  page,
};

/** What is raised about rehearsals. */
export const drillRules: readonly Rule[] = [
  brokenRule,
  skippedRule,
  overdueRule,
  {
    id: 'drill-failed',
    severity: 'critical',
    title: 'the last rehearsal broke off',
    why: 'It came to no verdict, and what stopped it may stop a restore as well.',
    page,
  },
];
