import type { EvidenceLine, TaskEntry } from '../domain/task.ts';
import type { State } from './db/open.ts';

/** Notes when a task was first known; returns that moment, now or earlier. Milliseconds since the epoch. */
export function taskFirstSeen(state: State, instance: string, task: string, now: number): number {
  state.db
    .prepare('INSERT INTO tasks (instance, task, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
    .run(instance, task, now);
  const row = state.db
    .prepare('SELECT first_seen FROM tasks WHERE instance = ? AND task = ?')
    .get(instance, task);
  return Number(row?.['first_seen'] ?? now);
}

/** Records that a task was done or skipped. */
export function recordTaskEntry(state: State, instance: string, entry: TaskEntry): void {
  state.db
    .prepare(
      'INSERT INTO task_entries (instance, task, outcome, at, by, note, evidence) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .run(instance, entry.task, entry.outcome, entry.at, entry.by, entry.note, JSON.stringify(entry.evidence));
}

/** What happened to the tasks of an instance, or to one of them, oldest first. */
export function taskEntries(state: State, instance: string, task?: string): TaskEntry[] {
  return state.db
    .prepare(
      `SELECT task, outcome, at, by, note, evidence FROM task_entries
       WHERE instance = ? AND (? IS NULL OR task = ?) ORDER BY at, id`,
    )
    .all(instance, task ?? null, task ?? null)
    .map((row) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      const record = row as unknown as Omit<TaskEntry, 'evidence'> & { evidence: string };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by recordTaskEntry above
      return { ...record, evidence: JSON.parse(record.evidence) as EvidenceLine[] };
    });
}
