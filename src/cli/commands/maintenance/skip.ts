import { recordByPerson, type Recorded } from '../../../app/maintenance.ts';
import { defineCommand } from '../../define-command.ts';
import { formatAge } from '../../render/time.ts';

export const maintenanceSkipCommand = defineCommand<{ task: string; why: string }, Recorded>({
  usage: 'maintenance skip <task>',
  summary: 'Leave a task out this time, with a reason',
  options: (yargs) =>
    yargs.positional('task', { type: 'string', describe: 'As maintenance list names it' }).option('why', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'Why not, one line',
    }),
  async run(context, { task, why }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    return recordByPerson(app, instance.name, { task, outcome: 'skipped', note: why, env: context.env });
  },
  render: ({ entry, dueAt }, { now }) =>
    `${entry.task}: ${entry.outcome} by ${entry.by}${dueAt === null ? '' : `; due again ${formatAge(dueAt, now)}`}`,
  document: ({ entry, dueAt }) => ({
    ...entry,
    at: new Date(entry.at).toISOString(),
    due_at: dueAt === null ? null : new Date(dueAt).toISOString(),
  }),
});
