import { counted } from '../../lib/text/counted.ts';
import type { Finding } from '../../domain/finding.ts';
import { messageOf, AgentError } from '../../domain/errors.ts';
import { nothingSeen, type TaskEntry } from '../../domain/task.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import type { Job, JobContext } from '../job.ts';
import { evidence } from './evidence/index.ts';
import { readTasks, type TaskStanding } from './read-tasks.ts';
import { taskDue, taskEvidence, taskOverdue, taskRules } from './rules.ts';
import { runTask } from './run-task.ts';

const day = 24 * 60 * 60 * 1000;

/** Does what is due and can be done by the agent, and says what waits for a person. */
export interface MaintainOptions {
  /** Only this task, whether it is due or not; what is due when left out. */
  task?: string;
  /** Who wants it; the agent itself when left out. */
  by?: string;
}

export const maintain: Job<MaintainOptions, TaskEntry[]>['run'] = async (
  context,
  { task: wanted, by = 'redis-agent' },
) => {
  const done = wanted === undefined ? await runDue(context) : [await runTask(context, wanted, by)];
  const findings = standings(context).flatMap((standing) => findingsOf(context, standing));
  return {
    value: done,
    summary:
      done.length === 0
        ? 'no task was due for the agent'
        : `done: ${done.map(({ task }) => task).join(', ')}`,
    findings,
    evaluated: [{ rules: taskRules.map(({ id }) => id) }],
  };
};

async function runDue(context: JobContext): Promise<TaskEntry[]> {
  const done: TaskEntry[] = [];
  for (const { task } of standings(context).filter(isForAgent))
    try {
      const entry = await runTask(context, task.id, 'redis-agent');
      if (!nothingSeen(entry.evidence)) done.push(entry);
    } catch (error) {
      // The next hour tries again; overdue, it becomes a finding.
      if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
      context.log.warn({ task: task.id, cause: messageOf(error) }, 'a maintenance task was not done');
    }
  return done;
}

function standings({ state, instance, settings, clock }: JobContext): TaskStanding[] {
  return readTasks({ state: state(), instance: instance.name, settings, now: clock.now() });
}

/** Due, and nothing that only a person or a scheduled job does. A line of the go-live list until it holds. */
function isForAgent({ task, state }: TaskStanding): boolean {
  if (task.by !== 'agent' || evidence[task.id] === undefined) return false;
  return state === 'due' || state === 'overdue' || state === 'open';
}

function findingsOf({ instance, clock }: JobContext, standing: TaskStanding): Finding[] {
  const { task, state, dueAt, last, overdueDays } = standing;
  const base = { instance: instance.name, resource: task.id, evidence: { rotation: task.rotation } };
  const show = `redis-agent maintenance show ${task.id}`;
  const remedy =
    task.by === 'person'
      ? `how: ${show}; and then: redis-agent maintenance done ${task.id}`
      : `what was seen, and what to do: ${show}`;
  // The go-live list reminds nobody: it is looked at where one goes live.
  if (task.rotation === 'once') return [];
  const wrong = last?.evidence.filter(({ ok }) => ok === false) ?? [];
  const told: Finding[] =
    wrong.length === 0
      ? []
      : [
          {
            ...base,
            rule: taskEvidence.id,
            severity: 'warning',
            summary: `${task.title}${task.title.endsWith('?') ? '' : ':'} ${wrong
              .map(({ text }) => text)
              .slice(0, 3)
              .join('; ')}`,
            remedy,
          },
        ];
  if (state === 'overdue')
    told.push({
      ...base,
      rule: taskOverdue.id,
      severity: 'warning',
      summary: `overdue for ${counted(overdueDays, 'day')}: ${task.title}`,
      remedy: task.by === 'agent' ? `why it is not done: redis-agent maintenance run ${task.id}` : remedy,
    });
  else if (state === 'due' || state === 'soon') {
    const left = (dueAt ?? 0) - clock.now();
    const when =
      left <= 0
        ? 'due now'
        : `due in ${left < day ? formatDuration(left) : counted(Math.ceil(left / day), 'day')}`;
    told.push({
      ...base,
      rule: taskDue.id,
      severity: noticeSeverity(left),
      summary: `${when}: ${task.title}`,
      remedy,
    });
  }
  return told;
}

/** A week before and on the day before it becomes a warning, which is pushed. */
function noticeSeverity(left: number): Finding['severity'] {
  return left <= 7 * day ? 'warning' : 'info';
}
