import { unsilence } from '../../../app/alerts/change-alerts.ts';
import { alertNumber } from './alert-number.ts';
import { defineCommand } from '../../define-command.ts';

export const alertsUnsilenceCommand = defineCommand<{ id: string }, { silence: number }>({
  usage: 'alerts unsilence <id>',
  summary: 'End a silence now; what it held back and still is so is told',
  options: (yargs) =>
    yargs.positional('id', { type: 'string', describe: 'The silence’s number in alerts list' }),
  async run(context, { id }) {
    const number = alertNumber(id);
    unsilence(await context.app(), number);
    return { silence: number };
  },
  render: ({ silence }) => `silence ${silence} has ended`,
});
