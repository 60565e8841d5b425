import { findTask } from '../../../app/find-task.ts';
import { readMaintenance } from '../../../app/maintenance.ts';
import type { TaskEntry } from '../../../domain/task.ts';
import { taskEntries } from '../../../state/tasks.ts';
import { defineCommand } from '../../define-command.ts';
import { renderTable } from '../../render/table.ts';
import { formatTime } from '../../render/time.ts';

export const maintenanceHistoryCommand = defineCommand<
  { task?: string },
  { instance: string; entries: TaskEntry[]; timezone: string | undefined }
>({
  usage: 'maintenance history [task]',
  summary: 'What was done or skipped, by whom and when, newest first',
  options: (yargs) => yargs.positional('task', { type: 'string', describe: 'Only this one' }),
  async run(context, { task }) {
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    const entries = taskEntries(app.state(), name, task).toReversed();
    // One that there is no more may have its history.
    if (task !== undefined && entries.length === 0) findTask(readMaintenance(app, name), task);
    return { instance: name, entries, timezone: app.settings.timezone };
  },
  render({ entries, timezone }) {
    if (entries.length === 0) return 'Nothing yet; what there is to do: redis-agent maintenance list';
    return renderTable(
      [{ title: 'WHEN' }, { title: 'TASK' }, { title: '' }, { title: 'BY' }, { title: 'WHAT' }],
      entries.map(({ at, task, outcome, by, note, evidence }) => [
        formatTime(at, timezone).slice(0, 16),
        task,
        outcome,
        by,
        note === ''
          ? `${evidence.filter(({ ok }) => ok === true).length} of ${evidence.length} in order`
          : note,
      ]),
    );
  },
  document: ({ instance, entries }) => ({
    instance,
    entries: entries.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })),
  }),
});
