import type { Settings } from '../../domain/settings.ts';
import { nothingSeen, type Task, type TaskEntry } from '../../domain/task.ts';
import { nextRun } from '../../lib/cron/next-run.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import { standingOf, type NextMoment, type Standing } from '../../maintain/calendar.ts';
import { allTasks } from '../../maintain/tasks/index.ts';
import type { State } from '../../state/db/open.ts';
import { recentRuns } from '../../state/runs.ts';
import { taskEntries, taskFirstSeen } from '../../state/tasks.ts';

export interface TaskStanding extends Standing {
  task: Task;
  last: TaskEntry | undefined;
}

export interface TaskRequest {
  state: State;
  instance: string;
  settings: Settings;
  now: number;
}

/** Where every task of an instance stands. */
export function readTasks({ state, instance, settings, now }: TaskRequest): TaskStanding[] {
  const timezone = settings.timezone ?? localTimezone();
  const next: NextMoment = (cron, after) => nextRun(cron, timezone, after);
  const entries = taskEntries(state, instance);
  return allTasks(settings.maintenance).map((task) => {
    // Older versions recorded a look that had seen nothing, too.
    const own = entries.filter((entry) => entry.task === task.id && !nothingSeen(entry.evidence));
    const job = task.due.kind === 'job' ? runsAsEntries(state, instance, task.id, task.due.job) : [];
    const all = [...own, ...job].toSorted((a, b) => a.at - b.at);
    const firstSeen = taskFirstSeen(state, instance, task.id, now);
    const history = { firstSeen, entries: all.map(({ at }) => at) };
    return { task, ...standingOf(task.due, history, now, next), last: all.at(-1) };
  });
}

/** A job that ran is a task that was done. */
function runsAsEntries(state: State, instance: string, task: string, job: string): TaskEntry[] {
  return recentRuns(state, instance, job, 100).map(({ started_at: at, summary }) => ({
    task,
    outcome: 'done',
    at,
    by: 'redis-agent',
    note: '',
    evidence: [{ text: summary ?? 'done', ok: true }],
  }));
}
