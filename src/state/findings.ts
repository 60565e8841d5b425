import type { Finding } from '../domain/finding.ts';
import type { State } from './db/open.ts';

/** A finding with when it was first and last seen, milliseconds since the epoch. */
export interface OpenFinding extends Finding {
  first_seen: number;
  last_seen: number;
}

/** What an evaluation covered. */
export interface FindingScope {
  rules: readonly string[];
  /** All resources when undefined. */
  resources?: readonly string[] | undefined;
}

const key = (finding: Finding): string => `${finding.rule}\0${finding.resource}`;

/**
 * Makes `findings` the open ones of `rules` for one instance: new ones open, known ones are refreshed, and those of
 * the same rules that are not seen any more are closed. Rules that were not evaluated stay as they are, and so do
 * other resources when the evaluation covered only some.
 */
export function recordFindings(
  state: State,
  scope: FindingScope & { instance: string; now: number },
  findings: readonly Finding[],
): { opened: Finding[]; closed: OpenFinding[] } {
  const covered = ({ rule, resource }: Finding): boolean =>
    scope.rules.includes(rule) && (scope.resources?.includes(resource) ?? true);
  const before = openFindings(state, scope.instance).filter(covered);
  const seen = new Set(findings.map(key));
  const known = new Set(before.map(key));
  const closed = before.filter((finding) => !seen.has(key(finding)));
  state.db.exec('BEGIN IMMEDIATE');
  try {
    for (const finding of findings) upsert(state, finding, scope.now);
    const remove = state.db.prepare('DELETE FROM findings WHERE instance = ? AND rule = ? AND resource = ?');
    for (const finding of closed) remove.run(finding.instance, finding.rule, finding.resource);
    state.db.exec('COMMIT');
  } catch (error) {
    state.db.exec('ROLLBACK');
    throw error;
  }
  return { opened: findings.filter((finding) => !known.has(key(finding))), closed };
}

/** All open findings of an instance, worst and oldest first. */
export function openFindings(state: State, instance: string): OpenFinding[] {
  return state.db
    .prepare(
      `SELECT * FROM findings WHERE instance = ?
       ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END,
                first_seen, rule, resource`,
    )
    .all(instance)
    .map((row) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      const record = row as unknown as OpenFinding & { evidence: string };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by upsert below
      return { ...record, evidence: JSON.parse(record.evidence) as Finding['evidence'] };
    });
}

function upsert(state: State, finding: Finding, now: number): void {
  state.db
    .prepare(
      `INSERT INTO findings (instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen)
       VALUES (:instance, :rule, :resource, :severity, :summary, :remedy, :evidence, :now, :now)
       ON CONFLICT (instance, rule, resource) DO UPDATE SET severity = excluded.severity,
         summary = excluded.summary, remedy = excluded.remedy, evidence = excluded.evidence,
         last_seen = excluded.last_seen`,
    )
    .run({ ...finding, evidence: JSON.stringify(finding.evidence), now });
}
