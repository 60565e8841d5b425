import { alertRules } from '../alert/rules.ts';
import type { Rule } from '../domain/rule.ts';
import { aofRules } from '../jobs/aof/rules.ts';
import { backupRules } from '../jobs/backup/rules.ts';
import { drillRules } from '../jobs/drill/rules.ts';
import { jobs } from '../jobs/index.ts';
import { maintenanceRules } from '../jobs/maintain/rules.ts';
import { proofRules } from '../jobs/prove/rules.ts';
import { restoreRules } from '../jobs/restore/rules.ts';
import { watchRules } from '../monitor/evaluate/rules/index.ts';

/**
 * Every rule that a finding can name: those of the rooms, and those that a job declares for itself. Routes, silences, reports
 * and `explain` read nothing else.
 */
export const rules: readonly Rule[] = withoutRepeats([
  ...backupRules,
  ...proofRules,
  ...drillRules,
  ...restoreRules,
  ...aofRules,
  ...watchRules,
  ...maintenanceRules,
  ...alertRules,
  ...jobs.flatMap((job) => job.rules),
]);

function withoutRepeats(all: readonly Rule[]): Rule[] {
  return [...new Set(all)];
}

/** By id. */
export const rulesById: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.id, rule]));
