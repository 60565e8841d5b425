import type { State } from './db/open.ts';

/** A run that has failed and that the daemon will try again. */
export interface PlannedRetry {
  instance: string;
  job: string;
  /** When, milliseconds since the epoch. */
  at: number;
  /** Which attempt that will be: 2 is the first again. */
  attempt: number;
  /** What it failed with. */
  cause: string;
}

/** Notes it in the place of an earlier one of that job. */
export function noteRetry(state: State, retry: PlannedRetry): void {
  state.db
    .prepare(
      `INSERT OR REPLACE INTO retries (instance, job, at, attempt, cause)
       VALUES (:instance, :job, :at, :attempt, :cause)`,
    )
    .run({ ...retry });
}

export function dropRetry(state: State, instance: string, job: string): void {
  state.db.prepare('DELETE FROM retries WHERE instance = ? AND job = ?').run(instance, job);
}

/** They are plans of a daemon, and end with it. */
export function dropRetries(state: State): void {
  state.db.exec('DELETE FROM retries');
}

export function retriesOf(state: State, instance: string): PlannedRetry[] {
  return (
    state.db
      .prepare('SELECT instance, job, at, attempt, cause FROM retries WHERE instance = ?')
      .all(instance)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      .map((row) => row as unknown as PlannedRetry)
  );
}
