import { readMaintenance } from '../../../app/maintenance.ts';
import type { TaskStanding } from '../../../jobs/maintain/read-tasks.ts';
import { defineCommand } from '../../define-command.ts';
import { renderTable } from '../../render/table.ts';
import { renderStanding } from '../../render/task.ts';

interface MaintenanceList {
  instances: { instance: string; tasks: TaskStanding[] }[];
  ics: string | null;
}

export const maintenanceListCommand = defineCommand<{ format?: 'ics' }, MaintenanceList>({
  usage: 'maintenance list',
  summary: 'The rotations: weekly, monthly, quarterly and before going live; what is due, and what was done',
  options: (yargs) =>
    yargs.option('format', {
      requiresArg: true,
      choices: ['ics'] as const,
      describe: 'As a calendar, for the tools that read one',
    }),
  examples: [['$0 maintenance list --format ics > redis.ics', 'due dates for a calendar']],
  async run(context, { format }) {
    const app = await context.app();
    const instances = app.instances(context.globals.instance).map(({ name }) => ({
      instance: name,
      tasks: readMaintenance(app, name),
    }));
    if (format === undefined) return { instances, ics: null };
    const { renderCalendar } = await import('../../../app/calendar-file.ts');
    return { instances, ics: renderCalendar(instances) };
  },
  render({ instances, ics }, context) {
    if (ics !== null) return ics.trimEnd();
    return instances
      .map(({ instance, tasks }) => {
        const rows = tasks.map((standing) => renderStanding(standing, context));
        const titles = ['TASK', 'EVERY', 'STATE', 'DUE', 'LAST'].map((title) => ({ title }));
        return `${context.style.strong(instance)}\n${renderTable(titles, rows)}`;
      })
      .join('\n\n');
  },
  document: ({ instances }) =>
    instances.map(({ instance, tasks }) => ({ instance, tasks: tasks.map(standingDocument) })),
});

/** A task as JSON shows it. */
export function standingDocument({ task, state, dueAt, overdueDays, last }: TaskStanding): object {
  const { id, title, rotation, by, why, steps } = task;
  return {
    id,
    title,
    rotation,
    by,
    why,
    steps,
    state,
    due_at: dueAt === null ? null : new Date(dueAt).toISOString(),
    overdue_days: overdueDays,
    last: last === undefined ? null : { ...last, at: new Date(last.at).toISOString() },
  };
}
