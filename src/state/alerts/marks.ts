import type { State } from '../db/open.ts';

/** When something that comes round was last done, milliseconds since the epoch. */
export function lastMark(state: State, name: string): number | undefined {
  const row = state.db.prepare('SELECT at FROM alert_marks WHERE name = ?').get(name);
  return row === undefined ? undefined : Number(row['at']);
}

/** Forgets those that begin so and are older. */
export function dropMarks(state: State, prefix: string, before: number): void {
  state.db
    .prepare('DELETE FROM alert_marks WHERE substr(name, 1, length(?1)) = ?1 AND at < ?2')
    .run(prefix, before);
}

export function mark(state: State, name: string, at: number): void {
  state.db
    .prepare('INSERT INTO alert_marks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at')
    .run(name, at);
}
