import type { Rule } from '../domain/rule.ts';
import { aofRules } from '../jobs/aof/rules.ts';
import { backupRules } from '../jobs/backup/rules.ts';
import { drillRules } from '../jobs/drill/rules.ts';
import { maintenanceRules } from '../jobs/maintain/rules.ts';
import { proofRules } from '../jobs/prove/rules.ts';
import { restoreRules } from '../jobs/restore/rules.ts';
import { watchRules } from '../monitor/evaluate/rules/index.ts';

/** Every rule that a finding can name, room by room. Routes, silences, reports and `explain` read nothing else. */
export const rules: readonly Rule[] = [
  ...backupRules,
  ...proofRules,
  ...drillRules,
  ...restoreRules,
  ...aofRules,
  ...watchRules,
  ...maintenanceRules,
];
