import type { AlertsView, OpenAlert } from '../../app/alerts/read-alerts.ts';
import type { Alert } from '../../domain/alert.ts';
import { factsOf } from '../../alert/message/facts.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import type { RenderContext } from '../define-command.ts';
import { paintSeverity } from './severity.ts';
import { renderTable, type Cell } from './table.ts';
import { formatAge, formatTime } from './time.ts';

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** An alert as --json gives it. */
export function alertDocument(alert: Alert): Record<string, unknown> {
  const {
    since,
    seen_at,
    fired_at,
    cleared_at,
    resolved_at,
    unknown_since,
    flapping_since,
    flips,
    ack,
    told,
    settled_at,
  } = alert;
  return {
    ...alert,
    since: iso(since),
    seen_at: iso(seen_at),
    fired_at: iso(fired_at),
    cleared_at: iso(cleared_at),
    resolved_at: iso(resolved_at),
    unknown_since: iso(unknown_since),
    flapping_since: iso(flapping_since),
    settled_at: iso(settled_at),
    flips: flips.map(iso),
    ack: ack === null ? null : { ...ack, at: iso(ack.at) },
    told: told.map((each) => ({ ...each, at: iso(each.at) })),
    duration_seconds:
      fired_at === null || resolved_at === null ? null : Math.max(0, resolved_at - fired_at) / 1000,
  };
}

/** The list of what is open, as --json gives it. */
export function alertsDocument({ open, silences, channels, delivered }: AlertsView): Record<string, unknown> {
  return {
    alerts: open.map(({ alert, hold }) => ({
      ...alertDocument(alert),
      held: hold === undefined ? null : { by: hold.by, reason: hold.reason, until: iso(hold.until) },
    })),
    silences: silences.map((silence) => ({ ...silence, from: iso(silence.from), until: iso(silence.until) })),
    channels: channels.map((channel) => ({ ...channel, failing_since: iso(channel.failing_since) })),
    delivered,
  };
}

export function renderAlerts(view: AlertsView, context: RenderContext): string {
  const { style, now } = context;
  const parts = [
    view.open.length === 0
      ? style.good('nothing is open')
      : view.open.map((open) => renderOpen(open, context)).join('\n'),
  ];
  if (view.silences.length > 0)
    parts.push(
      renderTable(
        [{ title: 'SILENCE' }, { title: 'WHAT' }, { title: 'ENDS' }, { title: 'BY' }, { title: 'WHY' }],
        view.silences.map(({ id, match, until, author, why }) => [
          String(id),
          [
            match.alert === undefined ? undefined : `alert ${match.alert}`,
            match.rule,
            match.instance,
            match.resource,
          ]
            .filter((each) => each !== undefined)
            .join(' '),
          formatAge(until, now),
          author,
          why,
        ]),
      ),
    );
  const notes = [
    ...view.channels
      .filter(({ failing_since: since, waiting }) => since !== null || waiting > 0)
      .map(({ name, failing_since: since, problem, waiting, disabled }) => {
        const what =
          since === null
            ? 'has'
            : `${disabled ? 'does not work' : 'fails'} since ${formatAge(since, now)} (${printable(problem ?? '')}); it has`;
        return style.warning(
          `${printable(name)} ${what} ${waiting} message${waiting === 1 ? '' : 's'} waiting`,
        );
      }),
    ...(view.channels.length === 0 ? ['nobody is told: no channel is configured (alerts.channels)'] : []),
    ...(view.channels.length > 0 && !view.delivered
      ? [style.warning('nobody is told: no daemon runs (redis-agent run)')]
      : []),
  ];
  if (notes.length > 0) parts.push(notes.join('\n'));
  return parts.join('\n\n');
}

/** Two lines: a table would be wider than any terminal. */
function renderOpen({ alert, hold }: OpenAlert, { style, now }: RenderContext): string {
  const { id, severity, instance, rule, resource, state, fired_at: fired, since, summary, ack } = alert;
  const name = resource === instance ? rule : `${rule} ${resource}`;
  const marks = [
    ...(state === 'firing' ? [] : [state]),
    ...(alert.flapping_since === null ? [] : ['comes and goes']),
    ...(alert.unknown_since === null ? [] : ['cannot be told now']),
    ...(ack === null ? [] : [`acknowledged by ${ack.by}`]),
    ...(hold === undefined
      ? []
      : [hold.until === null ? hold.reason : `${hold.reason}, ends ${formatAge(hold.until, now)}`]),
  ];
  const head = `${String(id).padStart(3)}  ${paintSeverity(style, severity)(severity.padEnd(8))}  ${printable(instance)}  ${style.strong(printable(name))}  ${formatAge(fired ?? since, now)}`;
  return [
    head + (marks.length === 0 ? '' : style.faint(`  (${printable(marks.join('; '))})`)),
    `     ${printable(summary)}`,
  ].join('\n');
}

export function renderAlert(
  alert: Alert,
  { style, now }: RenderContext,
  timezone: string | undefined,
): string {
  const time = (at: number): string => `${formatTime(at, timezone)} (${formatAge(at, now)})`;
  const {
    id,
    severity,
    instance,
    rule,
    resource,
    summary,
    remedy,
    evidence,
    fired_at: fired,
    resolved_at: resolved,
    ack,
    told,
  } = alert;
  const rows: Cell[][] = [
    ['alert', `${id}, ${alert.state}`],
    ['severity', { text: severity, paint: paintSeverity(style, severity) }],
    ['instance', instance],
    ['rule', rule],
    ...(resource === instance ? [] : [['resource', resource]]),
    ['what', summary],
    ['do', remedy],
    ...factsOf(evidence).map(({ label, text }) => ['', `${label}: ${text}`]),
    ['since', time(alert.since)],
    ...(fired === null ? [] : [['fired', time(fired)]]),
    ...(alert.flapping_since === null
      ? []
      : [['flapping', `${alert.flips.length} times within the last hour`]]),
    ...(alert.unknown_since === null
      ? []
      : [['unknown', `cannot be told since ${time(alert.unknown_since)}`]]),
    ...(resolved === null
      ? []
      : [
          [
            'over',
            `${time(resolved)}, ${alert.resolution === 'unwatched' ? 'not watched any more' : `lasted ${formatDuration(resolved - (fired ?? alert.since))}`}`,
          ],
        ]),
    ...(ack === null ? [] : [['taken on', `by ${ack.by}, ${time(ack.at)}`]]),
    ...told.map(({ channel, at, resolved: over }, index) => [
      index === 0 ? 'told' : '',
      `${channel}, ${time(at)}${over ? ', that it is over' : ''}`,
    ]),
    ...(told.length === 0 ? [['told', 'nobody']] : []),
  ];
  return renderTable([{ title: '' }, { title: '' }], rows);
}
