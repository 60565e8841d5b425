import type { State } from './db/open.ts';

export type RunOutcome = 'ok' | 'failed' | 'interrupted';

/** One execution of a job. Times are milliseconds since the epoch. */
export interface Run {
  instance: string;
  job: string;
  started_at: number;
  /** null while it runs, and for one that died with its process. */
  finished_at: number | null;
  outcome: RunOutcome | null;
  summary: string | null;
}

/** Records that a job has started; returns the run's id for `finishRun`. */
export function startRun(state: State, run: { instance: string; job: string; startedAt: number }): number {
  const { lastInsertRowid } = state.db
    .prepare('INSERT INTO runs (instance, job, started_at) VALUES (?, ?, ?)')
    .run(run.instance, run.job, run.startedAt);
  return Number(lastInsertRowid);
}

export function finishRun(
  state: State,
  id: number,
  end: { finishedAt: number; outcome: RunOutcome; summary: string; detail?: unknown },
): void {
  const detail = end.detail === undefined ? null : JSON.stringify(end.detail);
  state.db
    .prepare('UPDATE runs SET finished_at = ?, outcome = ?, summary = ?, detail = ? WHERE id = ?')
    .run(end.finishedAt, end.outcome, end.summary, detail, id);
}

/** What the newest runs of a job that ended came to, newest first. Runs that recorded no detail are left out. */
export function lastDetails(state: State, instance: string, job: string, count: number): unknown[] {
  return state.db
    .prepare(
      `SELECT detail FROM runs WHERE instance = ? AND job = ? AND outcome = 'ok' AND detail IS NOT NULL
       ORDER BY started_at DESC, id DESC LIMIT ?`,
    )
    .all(instance, job, count)
    .map(({ detail }): unknown => JSON.parse(String(detail)));
}

/** The newest run of a job, of any outcome or of the one asked for. */
export function lastRun(state: State, instance: string, job: string, outcome?: RunOutcome): Run | undefined {
  const row = state.db
    .prepare(
      `SELECT instance, job, started_at, finished_at, outcome, summary FROM runs
       WHERE instance = ? AND job = ? AND (? IS NULL OR outcome = ?) ORDER BY started_at DESC, id DESC LIMIT 1`,
    )
    .get(instance, job, outcome ?? null, outcome ?? null);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
  return row as unknown as Run | undefined;
}

/** The newest runs of a job that succeeded, newest first. */
export function recentRuns(state: State, instance: string, job: string, count: number): Run[] {
  return state.db
    .prepare(
      `SELECT instance, job, started_at, finished_at, outcome, summary FROM runs
       WHERE instance = ? AND job = ? AND outcome = 'ok' ORDER BY started_at DESC, id DESC LIMIT ?`,
    )
    .all(instance, job, count)
    .map((row) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      return row as unknown as Run;
    });
}

/** Drops what is older than `before`, so that the database does not grow for ever. */
export function forgetRuns(state: State, before: number): void {
  state.db.prepare('DELETE FROM runs WHERE started_at < ?').run(before);
}
