import type { State } from './open.ts';

/** Does all of `work` or nothing, and lets no other process write between its reads and its writes. Not to be nested. */
export function inTransaction<T>({ db }: State, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
