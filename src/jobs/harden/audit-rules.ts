import type { Rule } from '../../domain/rule.ts';
import { denialsRule } from '../../redis/seen-by-both/judge-denials.ts';
import { expiryRule, servedRule } from '../../redis/seen-by-both/judge-certificate.ts';
import { lastWritesRule } from '../../redis/seen-by-both/judge-last-writes.ts';
import { memoryLimitRule } from '../../redis/seen-by-both/judge-memory-limit.ts';
import { replayRule } from '../../redis/seen-by-both/judge-replay.ts';
import { auditRules as checked } from '../../harden/audit/rules.ts';

export const scoreDropped = 'audit-score';

/** What the watch judges under the same id: whoever looks opens and closes it. */
export const shared: ReadonlySet<string> = new Set(
  [memoryLimitRule, denialsRule, lastWritesRule, replayRule, expiryRule, servedRule].map(({ id }) => id),
);

/** What an audit raises. */
export const auditRules: readonly Rule[] = [
  ...checked,
  {
    id: 'audit-failed',
    severity: 'critical',
    title: 'the audit broke off',
    why: 'Nobody knows whether the server is as safe as it was.',
    page: 'docs/findings/audit.md',
  },
  {
    id: 'quiet-audit-failed',
    severity: 'critical',
    title: 'the audit between two audits broke off',
    why: 'Nobody knows whether the server is as safe as it was.',
    page: 'docs/findings/audit.md',
  },
  {
    id: scoreDropped,
    severity: 'warning',
    title: 'the audit’s score has dropped',
    why: 'Something was changed for the worse since the last audit that saw as much.',
    page: 'docs/findings/audit.md',
  },
];
