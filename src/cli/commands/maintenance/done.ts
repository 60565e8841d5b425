import { recordByPerson, type Recorded } from '../../../app/maintenance.ts';
import { defineCommand } from '../../define-command.ts';
import { formatAge } from '../../render/time.ts';

export const maintenanceDoneCommand = defineCommand<{ task: string; note: string }, Recorded>({
  usage: 'maintenance done <task>',
  summary: 'Record that a task was done, with who and when',
  options: (yargs) =>
    yargs.positional('task', { type: 'string', describe: 'As maintenance list names it' }).option('note', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'What was done, one line',
    }),
  async run(context, { task, note }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    return recordByPerson(app, instance.name, { task, outcome: 'done', note: note, env: context.env });
  },
  render: ({ entry, dueAt }, { now }) =>
    `${entry.task}: ${entry.outcome} by ${entry.by}${dueAt === null ? '' : `; due again ${formatAge(dueAt, now)}`}`,
  document: ({ entry, dueAt }) => ({
    ...entry,
    at: new Date(entry.at).toISOString(),
    due_at: dueAt === null ? null : new Date(dueAt).toISOString(),
  }),
});
