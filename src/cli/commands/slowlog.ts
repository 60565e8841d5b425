import { wasMeasured } from '../../state/series/measured.ts';
import type { App } from '../../app/build-app.ts';
import { printable } from '../../lib/text/printable.ts';
import { openFindings } from '../../state/episodes.ts';
import { readSlow, type SlowGroup } from '../../state/series/slow.ts';
import { defineCommand, type RenderContext } from '../define-command.ts';
import { renderCsv } from '../render/csv.ts';
import { formatMicros } from '../render/measure.ts';
import { wrap } from '../render/wrap.ts';
import { renderTable } from '../render/table.ts';
import { formatAge } from '../render/time.ts';
import { requireWhole } from '../require-option.ts';
import { historyOptions, parseSince } from '../since.ts';

const hour = 3_600_000;

interface Args {
  since: string;
  csv: boolean;
  top: number;
}

interface Slowlog {
  instance: string;
  since: number;
  csv: boolean;
  top: number;
  lost: number;
  /** Whether anybody looked in that time. */
  watched: boolean;
  /** Why nothing can be told of now; null where it can. */
  unseen: string | null;
  groups: (SlowGroup & { share: number })[];
}

export const slowlogCommand = defineCommand<Args, Slowlog>({
  usage: 'slowlog',
  summary: 'Slow commands of the past by what they are: how often, how long, whose; never a value',
  options: (yargs) =>
    historyOptions(yargs, '24h').option('top', {
      type: 'number',
      default: 20,
      requiresArg: true,
      describe: 'How many to show',
    }),
  examples: [['$0 slowlog --since 7d', 'of the week']],
  async run(context, { since, csv, top }) {
    requireWhole('top', top, 1, 10_000);
    const span = parseSince(since);
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    const now = context.clock.now();
    const from = now - span;
    const { groups, lost } = readSlow(app.series(), name, from);
    const all = groups.reduce((sum, { total }) => sum + total, 0);
    const shared = groups.map((group) => ({ ...group, share: all === 0 ? 0 : group.total / all }));
    const watched = wasMeasured(app.series(), name, { since: from, now });
    const unseen = whyUnseen(app, name, now);
    return { instance: name, since: from, csv, top, lost, watched, unseen, groups: shared };
  },
  document: ({ instance, since, lost, watched, unseen, groups, top }) => ({
    instance,
    since: new Date(since).toISOString(),
    watched,
    not_known: unseen,
    lost,
    commands: groups.slice(0, top).map(({ total, p95, worst, last, ...group }) => ({
      ...group,
      total_seconds: total / 1e6,
      p95_seconds: p95 / 1e6,
      worst_seconds: worst / 1e6,
      last: new Date(last).toISOString(),
    })),
  }),
  render: renderSlowlog,
});

/** A log that is off, or that may not be read, has no slow commands in it either. */
function whyUnseen(app: App, name: string, now: number): string | null {
  const blind = openFindings(app.state(), name).find(
    ({ rule, resource }) => rule === 'watch-blind' && resource === 'slowlog',
  );
  if (blind !== undefined) return `${blind.summary}; ${blind.remedy}`;
  const span = { since: now - hour, until: now + 1, step: 0 };
  const threshold = app.series().read(name, 'slowlog_threshold_seconds', span).at(-1)?.mean;
  if (threshold !== -1) return null;
  return 'the server keeps no slow log: slowlog-log-slower-than is -1; CONFIG SET slowlog-log-slower-than 10000';
}

function renderSlowlog(slowlog: Slowlog, { width, now }: RenderContext): string {
  const groups = slowlog.groups.slice(0, slowlog.top);
  if (slowlog.csv)
    return renderCsv(
      ['command', 'count', 'total_seconds', 'share', 'p95_seconds', 'worst_seconds', 'last', 'clients'],
      groups.map(({ shape, count, total, share, p95, worst, last, clients }) => [
        shape,
        count,
        total / 1e6,
        share,
        p95 / 1e6,
        worst / 1e6,
        new Date(last).toISOString(),
        clients.join(' '),
      ]),
    );
  const lost =
    slowlog.lost === 0
      ? []
      : ['', `${slowlog.lost} more were lost: the server's slow log is too short (slowlog-max-len)`];
  if (slowlog.unseen !== null) lost.push('', wrap(printable(slowlog.unseen), width));
  if (groups.length === 0 && !slowlog.watched)
    return 'nothing was measured in that time: the daemon does that (redis-agent run)';
  if (groups.length === 0)
    return [
      slowlog.unseen === null
        ? 'no slow command was seen in this time (the server logs those above slowlog-log-slower-than)'
        : 'no slow command was seen in this time, and none can be now',
      ...lost,
    ].join('\n');
  // What is left of the line beside the figures.
  const room = Math.max(20, width - 46);
  const table = renderTable(
    [
      { title: 'COMMAND' },
      { title: 'COUNT', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: 'SHARE', align: 'right' },
      { title: 'P95', align: 'right' },
      { title: 'WORST', align: 'right' },
    ],
    groups.map(({ shape, count, total, share, p95, worst }) => [
      cut(shape, room),
      String(count),
      formatMicros(total),
      `${Math.round(share * 100)} %`,
      formatMicros(p95),
      formatMicros(worst),
    ]),
  );
  const [first] = groups;
  const who =
    first === undefined || first.clients.length === 0
      ? []
      : [
          '',
          `the first is sent by ${first.clients.slice(0, 4).join(', ')}; last ${formatAge(first.last, now)}`,
        ];
  return [table, ...who, ...lost].join('\n');
}

const cut = (text: string, room: number): string =>
  text.length > room ? `${text.slice(0, room - 1)}…` : text;
