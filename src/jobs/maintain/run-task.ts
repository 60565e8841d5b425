import { AgentError } from '../../domain/errors.ts';
import { nothingSeen, type EvidenceLine, type Task, type TaskEntry } from '../../domain/task.ts';
import { recordTaskEntry, taskEntries } from '../../state/tasks.ts';
import type { JobContext } from '../job.ts';
import { evidence } from './evidence/index.ts';
import { readTasks } from './read-tasks.ts';

/** Looks at everything that the agent can look at for a task, and records it as done where there was something to see. */
export async function runTask(context: JobContext, task: string, by: string): Promise<TaskEntry> {
  const look = evidence[task];
  if (look === undefined)
    throw new AgentError('usage', `${task} is for a person: the agent cannot do it`, {
      hint: `see: redis-agent maintenance show ${task}, then: redis-agent maintenance done ${task} --note "…"`,
    });
  const state = context.state();
  const { instance, settings, clock, signal } = context;
  const now = clock.now();
  const last = taskEntries(state, instance.name, task).at(-1);
  const standing = readTasks({ state, instance: instance.name, settings, now }).find(
    (each) => each.task.id === task,
  );
  const connection = once(() => context.connect());
  try {
    const lines: EvidenceLine[] = await look({
      instance,
      settings,
      state,
      series: context.series,
      connect: connection.get,
      openRepository: context.openRepository,
      last,
      standing: standing?.state ?? 'upcoming',
      now,
      clock,
      progress: context.progress,
      signal,
    });
    const entry: TaskEntry = { task, outcome: 'done', at: clock.now(), by, note: '', evidence: lines };
    if (counts(standing?.task, lines)) recordTaskEntry(state, instance.name, entry);
    return entry;
  } finally {
    await connection.close();
  }
}

/** A line of the go-live list is done when it holds; a job's, when the job has run; what else comes round, when something was seen. */
function counts(task: Task | undefined, lines: readonly EvidenceLine[]): boolean {
  if (task?.due.kind === 'job') return false;
  return task?.rotation === 'once' ? lines.every(({ ok }) => ok === true) : !nothingSeen(lines);
}

/** Opened where something asks for it, and closed at the end. */
function once(open: JobContext['connect']) {
  let opened: ReturnType<JobContext['connect']> | undefined;
  return {
    get: () => (opened ??= open()),
    async close() {
      const connection = await opened?.catch(() => undefined);
      connection?.close();
    },
  };
}
