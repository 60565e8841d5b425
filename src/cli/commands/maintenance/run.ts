import { askedBy } from '../../../lib/process/asked-by.ts';
import { findTask } from '../../../app/find-task.ts';
import { readMaintenance } from '../../../app/maintenance.ts';
import { nothingSeen, type TaskEntry } from '../../../domain/task.ts';
import { maintainJob } from '../../../jobs/maintain/maintain-job.ts';
import { defineCommand } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderTable } from '../../render/table.ts';
import { renderEvidence } from '../../render/task.ts';

export const maintenanceRunCommand = defineCommand<{ task: string }, TaskEntry>({
  usage: 'maintenance run <task>',
  summary: 'Have the agent do a task now: it looks, says what it saw, and keeps it as evidence',
  options: (yargs) => yargs.positional('task', { type: 'string', describe: 'As maintenance list names it' }),
  async run(context, { task }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    findTask(readMaintenance(app, instance.name), task);
    const { signal, progress } = context;
    const [entry] = await app.run(
      maintainJob,
      instance,
      { task, by: askedBy(context.env) },
      { signal, progress },
    );
    if (entry === undefined) throw new TypeError('a task that ran left no entry');
    return entry;
  },
  render: ({ task, evidence }, { style }) =>
    `${style.strong(task)}\n${renderTable([{ title: '' }, { title: '' }], renderEvidence(evidence, style))}${nothingSeen(evidence) ? `\n${uncounted}` : ''}`,
  document: (entry) => ({ ...entry, at: new Date(entry.at).toISOString() }),
  exitCode: ({ evidence }) =>
    nothingSeen(evidence) || evidence.some(({ ok }) => ok === false) ? exitCodes.findings : exitCodes.ok,
});

const uncounted =
  'nothing could be judged: it does not count as done; once a person has looked: redis-agent maintenance done';
