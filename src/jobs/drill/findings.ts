import type { DrillOutcome } from '../../domain/drill.ts';
import type { Finding } from '../../domain/finding.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import type { JobContext } from '../job.ts';
import { drillName, drillsOf } from './last-drill.ts';
import { brokenRule, overdueRule, skippedRule } from './rules.ts';

/** What a drill evaluates that came to its end, and one that did not: that one closes nothing. */
export const endedRules: readonly string[] = [brokenRule.id, skippedRule.id, overdueRule.id];
export const skippedRules: readonly string[] = [skippedRule.id];

export function drillFindings(instance: string, outcome: DrillOutcome): Finding[] {
  if (outcome.outcome === 'held') return [];
  if (outcome.outcome === 'skipped')
    return [
      {
        instance,
        rule: skippedRule.id,
        resource: instance,
        severity: 'warning',
        summary: `no restore could be rehearsed: ${outcome.why}`,
        remedy: `${outcome.instead}, then run: redis-agent drill`,
        evidence: { backup: outcome.backup, reason: outcome.reason },
      },
    ];
  const { backup, summary, at } = outcome.record;
  return [
    {
      instance,
      rule: brokenRule.id,
      resource: instance,
      severity: 'critical',
      summary: `backup ${backup} does not restore: ${summary}`,
      remedy: 'take a new one now (redis-agent backup), then rehearse that: redis-agent drill',
      evidence: { backup, at },
    },
  ];
}

/** Is the last drill that came to an end too long ago? Of an instance without one nothing is said: `check` does. */
export function judgeDrillAge({ instance, settings, clock, recall }: JobContext): Finding[] {
  const last = drillsOf(recall(drillName)).find(({ outcome }) => outcome !== 'skipped');
  const { overdue_after: limit } = settings.drill;
  if (last === undefined || last.outcome === 'skipped' || limit === null) return [];
  const age = clock.now() - Date.parse(last.record.at);
  if (age <= limit) return [];
  return [
    {
      instance: instance.name,
      rule: overdueRule.id,
      resource: instance.name,
      severity: 'warning',
      summary: `no restore was rehearsed for ${formatDuration(age)} (limit ${formatDuration(limit)})`,
      remedy: 'run: redis-agent drill',
      evidence: { backup: last.record.backup, at: last.record.at },
    },
  ];
}
