import { readEnded } from '../../../app/alerts/read-alerts.ts';
import type { Alert } from '../../../domain/alert.ts';
import { AgentError } from '../../../domain/errors.ts';
import { formatDuration, parseDuration } from '../../../lib/time/duration.ts';
import { defineCommand } from '../../define-command.ts';
import { alertDocument } from '../../render/alerts.ts';
import { paintSeverity } from '../../render/severity.ts';
import { renderTable } from '../../render/table.ts';
import { formatTime } from '../../render/time.ts';

interface Value {
  alerts: Alert[];
  timezone: string | undefined;
}

export const alertsHistoryCommand = defineCommand<{ since: string }, Value>({
  usage: 'alerts history',
  summary: 'What fired and is over: when, how long, and who was told',
  options: (yargs) =>
    yargs.option('since', {
      type: 'string',
      default: '30d',
      requiresArg: true,
      describe: 'How far back: 24h, 30d; a year is kept',
    }),
  async run(context, { since }) {
    const span = parseDuration(since);
    if (span === undefined)
      throw new AgentError('usage', `--since ${JSON.stringify(since)} is no duration`, {
        hint: 'say 24h or 30d',
      });
    const app = await context.app();
    const { instance } = context.globals;
    const name = instance === undefined ? undefined : app.instance(instance).name;
    const alerts = readEnded(app, app.clock.now() - span).filter(
      (alert) => name === undefined || alert.instance === name,
    );
    return { alerts, timezone: app.settings.timezone };
  },
  render: ({ alerts, timezone }, { style }) =>
    alerts.length === 0
      ? 'nothing has fired and ended in that time'
      : renderTable(
          [
            { title: 'ALERT', align: 'right' },
            { title: 'FIRED' },
            { title: 'LASTED', align: 'right' },
            { title: 'SEVERITY' },
            { title: 'WHAT' },
            { title: 'TOLD' },
          ],
          alerts.map(
            ({ id, fired_at: fired, since, resolved_at: over, severity, instance, rule, resource, told }) => [
              String(id),
              formatTime(fired ?? since, timezone),
              formatDuration(Math.max(0, (over ?? since) - (fired ?? since))),
              { text: severity, paint: paintSeverity(style, severity) },
              `${instance}: ${rule}${resource === instance ? '' : ` ${resource}`}`,
              told.length === 0 ? 'nobody' : told.map(({ channel }) => channel).join(', '),
            ],
          ),
        ),
  document: ({ alerts }) => alerts.map((alert) => alertDocument(alert)),
});
