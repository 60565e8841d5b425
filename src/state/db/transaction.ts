import { forgetHeld } from './held.ts';
import type { State } from './open.ts';

/** Does all of `work` or nothing, and lets no other process write between its reads and its writes. Not to be nested. */
export function inTransaction<T>(state: State, work: () => T): T {
  const { db } = state;
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    forgetHeld(state);
    db.exec('ROLLBACK');
    throw error;
  }
}
