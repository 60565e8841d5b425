import { askedBy } from '../lib/process/asked-by.ts';
import { AgentError } from '../domain/errors.ts';
import type { TaskEntry } from '../domain/task.ts';
import { readTasks, type TaskStanding } from '../jobs/maintain/read-tasks.ts';
import { recordTaskEntry } from '../state/tasks.ts';
import type { App } from './build-app.ts';
import { findTask } from './find-task.ts';

/** Where the tasks of an instance stand now. */
export function readMaintenance(app: App, instance: string): TaskStanding[] {
  const { settings, clock } = app;
  return readTasks({ state: app.state(), instance, settings, now: clock.now() });
}

export interface Recorded {
  entry: TaskEntry;
  /** When it is due again, milliseconds; null: never. */
  dueAt: number | null;
}

/** Notes what a person has done or left out. */
export function recordByPerson(
  app: App,
  instance: string,
  { task, outcome, note, env }: Pick<TaskEntry, 'task' | 'outcome' | 'note'> & { env: NodeJS.ProcessEnv },
): Recorded {
  const standing = findTask(readMaintenance(app, instance), task);
  if (note.trim() === '' || /\p{Cc}/u.test(note))
    throw new AgentError('usage', 'the note is empty or holds control characters', {
      hint: 'write it on one line',
    });
  if (standing.task.due.kind === 'job' && outcome === 'done')
    throw new AgentError('usage', `${task} is done when its job has run, not by saying so`, {
      hint: `run: ${standing.task.steps[0] ?? `redis-agent maintenance show ${task}`}`,
    });
  const entry: TaskEntry = {
    task,
    outcome,
    at: app.clock.now(),
    by: askedBy(env),
    note: note.trim(),
    evidence: [],
  };
  recordTaskEntry(app.state(), instance, entry);
  return { entry, dueAt: findTask(readMaintenance(app, instance), task).dueAt };
}
