/** Ascending. The audit's L/M/H/C are info/warning/high/critical; monitoring uses warning and critical. */
export const severities = ['info', 'warning', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** One rule violated by one resource now. Identity is (instance, rule, resource); severity may change. */
export interface Finding {
  instance: string;
  /** Rule or check id, e.g. `backup-stale`, `ACL05`. */
  rule: string;
  /** What violates it: a backup id, a user, a directive; the instance's name when it is the whole server. */
  resource: string;
  severity: Severity;
  /** One line: what is wrong. */
  summary: string;
  /** One line: what to do. */
  remedy: string;
  /** The facts behind it, small and without secrets. */
  evidence: Record<string, string | number | boolean | null>;
}

/** Is `severity` at or above `floor`? */
export function atLeast(severity: Severity, floor: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(floor);
}

/** What an evaluation covered: findings of it that it does not come back with are closed. */
export interface Evaluated {
  rules: readonly string[];
  /** All resources when left out. */
  resources?: readonly string[] | undefined;
}
