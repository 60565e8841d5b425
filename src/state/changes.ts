import type { State } from './db/open.ts';

/** Something that the agent has changed at a server. Kept: auditors ask for years. Times are milliseconds since the epoch. */
export interface ChangeRecord {
  instance: string;
  /** By which it is taken back. */
  token: string;
  /** `apply`, `rollback`, `enforce`, `rotation` … */
  kind: string;
  at: number;
  /** A user of the host. */
  by: string;
  outcome: 'done' | 'rolled-back' | 'failed';
  /** One line. */
  summary: string;
  /** As JSON: directives with their values before and after; no secret. */
  detail: unknown;
}

/** A second record of one change replaces the first. */
export function recordChange({ db }: State, change: ChangeRecord): void {
  db.prepare(
    `INSERT INTO changes (instance, token, kind, at, by, outcome, summary, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (instance, token) DO UPDATE SET outcome = excluded.outcome, summary = excluded.summary, detail = excluded.detail`,
  ).run(
    change.instance,
    change.token,
    change.kind,
    change.at,
    change.by,
    change.outcome,
    change.summary,
    JSON.stringify(change.detail),
  );
}

/** The newest first. */
export function readChanges({ db }: State, instance: string, limit = 100): ChangeRecord[] {
  return db
    .prepare(
      'SELECT instance, token, kind, at, by, outcome, summary, detail FROM changes WHERE instance = ? ORDER BY at DESC, id DESC LIMIT ?',
    )
    .all(instance, limit)
    .map((row) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      const record = row as unknown as ChangeRecord & { detail: string };
      return { ...record, detail: JSON.parse(record.detail) as unknown };
    });
}
