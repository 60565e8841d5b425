import type { State } from '../db/open.ts';

/** When something that comes round was last done, milliseconds since the epoch. */
export function lastMark(state: State, name: string): number | undefined {
  const row = state.db.prepare('SELECT at FROM alert_marks WHERE name = ?').get(name);
  return row === undefined ? undefined : Number(row['at']);
}

export function mark(state: State, name: string, at: number): void {
  state.db
    .prepare('INSERT INTO alert_marks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at')
    .run(name, at);
}
