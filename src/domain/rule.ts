import type { Severity } from './finding.ts';

/** What may be wrong, said once: findings, routes, silences, reports and `explain` name it by its id. */
export interface Rule {
  /** As in Finding.rule: `backup-stale`, `ACL05`. Part of the contract with users. */
  id: string;
  /** The highest that a finding of it can have. */
  severity: Severity;
  /** A few words: what is wrong. */
  title: string;
  /** One or two sentences: why it matters. */
  why: string;
  /** The page that says what to do, under a heading that is the id: `docs/findings/backup.md`. */
  page: string;
  /** How long it has to hold before anybody is told, milliseconds. At once when left out. */
  for?: number;
  /** How long it counts as firing after it was last seen, milliseconds. Not at all when left out. */
  keepFiring?: number;
  /** Rules that hold this one back while they fire on the same instance: it follows from them. */
  inhibitedBy?: readonly string[];
}
