import { readAlerts, type AlertsView } from '../../../app/alerts/read-alerts.ts';
import { defineCommand } from '../../define-command.ts';
import { alertsDocument, renderAlerts } from '../../render/alerts.ts';

export const alertsListCommand = defineCommand<{ all: boolean }, AlertsView>({
  usage: 'alerts list',
  summary: 'What is open, who silenced what, and whether messages get through',
  options: (yargs) =>
    yargs.option('all', {
      type: 'boolean',
      default: false,
      describe: 'Also what has not lasted long enough to be told',
    }),
  async run(context, { all }) {
    const app = await context.app();
    const view = readAlerts(app, { pending: all });
    const { instance } = context.globals;
    if (instance === undefined) return view;
    const { name } = app.instance(instance);
    return { ...view, open: view.open.filter(({ alert }) => alert.instance === name) };
  },
  render: renderAlerts,
  document: alertsDocument,
});
