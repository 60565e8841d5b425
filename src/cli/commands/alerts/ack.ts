import { acknowledge } from '../../../app/alerts/change-alerts.ts';
import type { Alert } from '../../../domain/alert.ts';
import { printable } from '../../../lib/text/printable.ts';
import { alertNumber } from './alert-number.ts';
import { defineCommand } from '../../define-command.ts';
import { alertDocument } from '../../render/alerts.ts';

export const alertsAckCommand = defineCommand<{ id: string }, Alert>({
  usage: 'alerts ack <id>',
  summary: 'Take an alert on: it is not repeated and goes to nobody further, unless it gets worse',
  options: (yargs) => yargs.positional('id', { type: 'string', describe: 'Its number in alerts list' }),
  run: async (context, { id }) => acknowledge(await context.app(), alertNumber(id)),
  render: ({ id, rule, instance, ack }) =>
    printable(`alert ${id} (${rule} of ${instance}) is acknowledged by ${ack?.by ?? ''}`),
  document: alertDocument,
});
