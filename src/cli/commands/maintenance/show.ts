import { readMaintenance } from '../../../app/maintenance.ts';
import { findTask } from '../../../app/find-task.ts';
import type { TaskStanding } from '../../../jobs/maintain/read-tasks.ts';
import { defineCommand } from '../../define-command.ts';
import { renderTable } from '../../render/table.ts';
import { renderEvidence, renderStanding } from '../../render/task.ts';
import { formatTime } from '../../render/time.ts';
import { standingDocument } from './list.ts';

export const maintenanceShowCommand = defineCommand<
  { task: string },
  { standing: TaskStanding; timezone: string | undefined }
>({
  usage: 'maintenance show <task>',
  summary: 'One task: why, how, when, and what was seen the last time',
  options: (yargs) => yargs.positional('task', { type: 'string', describe: 'As maintenance list names it' }),
  async run(context, { task }) {
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    return { standing: findTask(readMaintenance(app, name), task), timezone: app.settings.timezone };
  },
  render({ standing, timezone }, context) {
    const { task, last } = standing;
    const { style } = context;
    const parts = [
      `${style.strong(task.title)}\n${task.why}`,
      renderTable(
        [{ title: '' }, { title: '' }, { title: '' }, { title: '' }, { title: '' }],
        [renderStanding(standing, context)],
      ),
      `What to do:\n${task.steps.map((step) => `  ${step}`).join('\n')}`,
    ];
    if (last !== undefined) {
      const by = `${last.outcome} ${formatTime(last.at, timezone)} by ${last.by}${last.note === '' ? '' : `: ${last.note}`}`;
      const seen = renderTable(
        [{ title: '' }, { title: '' }],
        [['', by], ...renderEvidence(last.evidence, style)],
      );
      parts.push(`Last time:\n${seen}`);
    }
    return parts.join('\n\n');
  },
  document: ({ standing }) => standingDocument(standing),
});
