import type { Rule } from '../../domain/rule.ts';
import { checks } from './checks/index.ts';

/** Everything that an audit may find. */
export const auditRules: readonly Rule[] = [
  ...checks.map(({ rule }) => rule),
  {
    id: 'WAI01',
    severity: 'warning',
    title: 'a waiver has ended',
    why: 'Somebody accepted a finding for a while, and the while is over.',
    page: 'docs/findings/audit-wai.md',
  },
];
