import type { QueueNow, QueuesNow } from '../../app/queues/read-queues.ts';
import { intoColumns } from '../../app/history/trend.ts';
import { counted, verb } from '../../lib/text/counted.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import type { RenderContext } from '../define-command.ts';
import { round } from './measure.ts';
import { paintSeverity } from './severity.ts';
import { sparkline } from './sparkline.ts';
import { renderTable, type Cell } from './table.ts';
import { wrap } from './wrap.ts';

const hour = 3_600_000;
const right = { align: 'right' as const };
/** Wide enough for a line of blocks too. */
const wide = 100;

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
const seconds = (from: number | null, to: number): number | null =>
  from === null ? null : Math.max(0, Math.round((to - from) / 1000));

/** One queue in JSON. */
export function queueDocument(
  { reading, completedRate, failedRate, stalledRate, findings }: QueueNow,
  at: number,
) {
  const { ref } = reading;
  return {
    queue: reading.label,
    kind: ref.kind,
    database: ref.db,
    prefix: ref.prefix === '' ? null : ref.prefix,
    name: ref.name,
    group: ref.group === '' ? null : ref.group,
    guessed: ref.guessed,
    waiting: reading.waiting,
    prioritized: reading.prioritized,
    active: reading.active,
    delayed: reading.delayed,
    overdue: reading.overdue,
    waiting_children: reading.children,
    completed: reading.completed,
    failed: reading.failed,
    paused: reading.paused,
    rate_limited: reading.limited,
    due: reading.due,
    oldest: { id: reading.oldestId, name: reading.oldestName, seconds: seconds(reading.dueSince, at) },
    overdue_seconds: seconds(reading.overdueSince, at),
    workers: reading.workers,
    active_held: reading.held,
    active_abandoned: reading.abandoned,
    last_finished: iso(reading.finishedAt),
    idle_seconds: seconds(reading.idleSince, at),
    completed_per_minute: completedRate,
    failed_per_minute: failedRate,
    stalled_per_minute: stalledRate,
    oldest_completed: iso(reading.oldestCompleted),
    oldest_failed: iso(reading.oldestFailed),
    findings: findings.map(({ rule, severity, summary, remedy }) => ({ rule, severity, summary, remedy })),
  };
}

export const queuesDocument = ({ instance, at, queues, unread, left, blind }: QueuesNow): unknown => ({
  instance,
  at: iso(at),
  queues: queues.map((queue) => queueDocument(queue, at)),
  not_readable: unread.map(({ label }) => label),
  not_watched: left,
  not_known: blind.map(({ what, why }) => ({ what, why })),
});

const unknownWords = {
  search: 'queues cannot be looked for here, and those count that monitor.queues names',
  workers: 'who works on them is unknown',
};

export function renderQueues(
  { instance, at, queues, unread, left, blind }: QueuesNow,
  { style, width }: RenderContext,
  named: boolean,
): string {
  const title = named ? `${style.strong(instance)}\n` : '';
  const more = `${counted(left, 'more queue')} ${verb(left, 'is', 'are')} not watched: name those that matter in monitor.queues, which come first`;
  const hidden = [
    ...(left === 0 ? [] : [`\n${wrap(more, width)}`]),
    ...unread.map(({ label, why }) => `\n${wrap(printable(`${label}: ${why}`), width)}`),
    ...blind.map(({ what, why }) => `\n${wrap(`${unknownWords[what]}: ${printable(why)}`, width)}`),
  ];
  if (queues.length === 0 && hidden.length > 0) return title + hidden.join('').trimStart();
  if (queues.length === 0)
    return `${title}no queue was found; one that is called otherwise is named in monitor.queues`;
  const blocks = width >= wide;
  const rates = queues.some(({ completedRate }) => completedRate !== null);
  const table = renderTable(
    [
      { title: 'QUEUE' },
      { title: 'WAITING', ...right },
      { title: 'ACTIVE', ...right },
      { title: 'DELAYED', ...right },
      { title: 'FAILED', ...right },
      { title: 'OLDEST', ...right },
      ...(rates ? [{ title: 'DONE/MIN', ...right }] : []),
      { title: 'WORKERS', ...right },
      ...(blocks ? [{ title: 'LAST HOUR' }] : []),
      { title: '' },
    ],
    queues.map((queue): Cell[] => {
      const { reading, completedRate, waiting } = queue;
      const oldest = seconds(reading.dueSince, at);
      return [
        short(reading.label, blocks ? 36 : 20),
        String(reading.waiting + reading.prioritized),
        String(reading.active),
        `${reading.delayed}`,
        String(reading.failed),
        reading.due === 0 ? '–' : oldest === null ? '?' : formatDuration(oldest * 1000),
        ...(rates ? [completedRate === null ? '–' : round(completedRate)] : []),
        reading.workers === null ? '?' : String(reading.workers),
        ...(blocks
          ? [sparkline(intoColumns(waiting, { since: at - hour, until: at + 1, columns: 12 }))]
          : []),
        stateOf(queue, style),
      ];
    }),
  );
  return title + table + (hidden.length === 0 ? '' : `\n${hidden.join('')}`);
}

/** A line for a log: all of them in figures, then those that something is said of. */
export function queuesLine({ instance, at, queues }: QueuesNow): string {
  const sum = (of: (queue: QueueNow) => number): number => queues.reduce((all, queue) => all + of(queue), 0);
  const said = queues.flatMap(({ reading, findings }) =>
    findings.length === 0
      ? []
      : [
          `${short(reading.label, 36)}: ${findings.map(({ rule }) => rule.replace(/^queue-/, '')).join(', ')}`,
        ],
  );
  const figures = [
    `queues ${queues.length}`,
    `waiting ${sum(({ reading }) => reading.waiting + reading.prioritized)}`,
    `active ${sum(({ reading }) => reading.active)}`,
    `delayed ${sum(({ reading }) => reading.delayed)}`,
    `failed ${sum(({ reading }) => reading.failed)}`,
  ];
  return [`${iso(at)} ${printable(instance)}`, ...figures, ...said].join('  ');
}

/** A word on how it is: what the daemon has found, else what can be seen at once. */
function stateOf({ reading, findings }: QueueNow, style: RenderContext['style']): Cell {
  const worst = findings[0];
  if (reading.paused) return { text: 'paused', paint: style.warning };
  if (worst !== undefined)
    return {
      text: findings.map(({ rule }) => rule.replace(/^queue-/, '')).join(', '),
      paint: paintSeverity(style, worst.severity),
    };
  if (reading.overdue > 0) return { text: `${reading.overdue} overdue`, paint: style.warning };
  if (reading.workers === 0 && reading.due > 0) return { text: 'no worker', paint: style.bad };
  if ((reading.abandoned ?? 0) > 0) return { text: 'worker lost', paint: style.warning };
  return reading.ref.guessed ? { text: 'a guess', paint: style.faint } : '';
}

/** What fits, in whole characters, safe for a terminal; `…` where something is missing. */
function short(text: string, most: number): string {
  const characters = Array.from(printable(text));
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`;
}
