import { findAlert } from '../../../app/alerts/change-alerts.ts';
import type { Alert } from '../../../domain/alert.ts';
import { defineCommand } from '../../define-command.ts';
import { alertDocument, renderAlert } from '../../render/alerts.ts';
import { alertNumber } from './alert-number.ts';

export const alertsShowCommand = defineCommand<
  { id: string },
  { alert: Alert; timezone: string | undefined }
>({
  usage: 'alerts show <id>',
  summary: 'One alert: what, since when, what to do, and who was told',
  options: (yargs) => yargs.positional('id', { type: 'string', describe: 'Its number in alerts list' }),
  async run(context, { id }) {
    const app = await context.app();
    return { alert: findAlert(app, alertNumber(id)), timezone: app.settings.timezone };
  },
  render: ({ alert, timezone }, context) => renderAlert(alert, context, timezone),
  document: ({ alert }) => alertDocument(alert),
});
