import type { Silence, SilenceMatch } from '../../domain/alert.ts';
import type { State } from '../db/open.ts';

/** Those that have not ended, and those that ended within `span` before now. */
export function silences(state: State, { now, span }: { now: number; span: number }): Silence[] {
  return state.db
    .prepare('SELECT * FROM silences WHERE until > ? ORDER BY id')
    .all(now - span)
    .map((row) => ({
      id: Number(row['id']),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by addSilence below
      match: JSON.parse(String(row['match'])) as SilenceMatch,
      from: Number(row['since']),
      until: Number(row['until']),
      author: String(row['author']),
      why: String(row['why']),
    }));
}

/** Returns its id. */
export function addSilence(state: State, silence: Omit<Silence, 'id'>): number {
  const { match, from, until, author, why } = silence;
  const { lastInsertRowid } = state.db
    .prepare('INSERT INTO silences (match, since, until, author, why) VALUES (?, ?, ?, ?, ?)')
    .run(JSON.stringify(match), from, until, author, why);
  return Number(lastInsertRowid);
}

/** It ends now. False when there is none of that id that has not ended. */
export function endSilence(state: State, id: number, now: number): boolean {
  const { changes } = state.db
    .prepare('UPDATE silences SET until = ?1 WHERE id = ?2 AND until > ?1')
    .run(now, id);
  return changes > 0;
}

export function forgetSilences(state: State, before: number): void {
  state.db.prepare('DELETE FROM silences WHERE until < ?').run(before);
}
