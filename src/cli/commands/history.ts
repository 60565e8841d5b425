import { intoColumns, readGrowth, readTrend, type TrendPoint } from '../../app/history/trend.ts';
import { chooseQueueRef } from '../../app/queues/choose-queue.ts';
import type { App } from '../../app/build-app.ts';
import { isCounter, metrics } from '../../domain/metrics.ts';
import { queueLabel, queueMetrics, queueSubject } from '../../domain/queue.ts';
import { AgentError } from '../../domain/errors.ts';
import { closest } from '../../lib/text/closest.ts';
import { printable } from '../../lib/text/printable.ts';
import { mostQueues } from '../../monitor/collect/queues.ts';
import { chooseQueues } from '../../monitor/collect/queues/choose.ts';
import { readQueues } from '../../state/series/queues.ts';
import { defineCommand, type RenderContext } from '../define-command.ts';
import { renderCsv } from '../render/csv.ts';
import { formatMeasure } from '../render/measure.ts';
import { sparkline } from '../render/sparkline.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { historyOptions, parseSince } from '../since.ts';

interface Args {
  metric: string | undefined;
  queue: string | undefined;
  since: string;
  csv: boolean;
}

interface Listed {
  instance: string;
  metrics: { name: string; kind: string; help: string }[];
}

interface History {
  instance: string;
  metric: string;
  help: string;
  queue: string | undefined;
  /** Of a counter: by how much it grew; null where it was not seen twice, undefined of others. */
  grown: number | null | undefined;
  since: number;
  until: number;
  timezone: string | undefined;
  csv: boolean;
  points: TrendPoint[];
}

/** Lines that are shown to people. */
const rows = 24;

export const historyCommand = defineCommand<Args, Listed | History>({
  usage: 'history [metric]',
  summary: 'What was measured over time; without a metric: which there are',
  options: (yargs) =>
    historyOptions(
      yargs
        .positional('metric', {
          type: 'string',
          describe: 'Such as memory_used_bytes; counters are shown as growth a second',
        })
        .option('queue', {
          type: 'string',
          requiresArg: true,
          describe: 'Of that queue, as redis-agent queues calls it',
        }),
      '24h',
    ),
  examples: [
    ['$0 history', 'what there is'],
    ['$0 history commands_total --since 7d', ''],
    ['$0 history memory_used_bytes --since 30d --csv', 'for a spreadsheet'],
    ['$0 history queue_waiting --queue bull:mail', 'of one queue'],
  ],
  async run(context, { metric, queue, since, csv }) {
    const span = parseSince(since);
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    const series = app.series();
    const there = queue === undefined ? metrics : queueMetrics;
    const label = queue === undefined ? undefined : labelOf(app, name, queue);
    const subject = label === undefined ? name : queueSubject(name, label);
    const known = there.filter((each) => metric === undefined && series.metrics(subject).includes(each.name));
    if (metric === undefined)
      return {
        instance: name,
        metrics: known.map((each) => ({ name: each.name, kind: each.kind, help: each.help })),
      };
    const found = there.find((each) => each.name === metric);
    if (found === undefined) throw unknownMetric(metric, queue !== undefined);
    const until = context.clock.now();
    const window = { since: until - span, until };
    const { timezone } = app.settings;
    return {
      instance: name,
      metric,
      help: found.help,
      queue: label,
      ...window,
      timezone,
      csv,
      points: readTrend(series, subject, metric, window),
      grown: isCounter(metric) ? readGrowth(series, subject, metric, window) : undefined,
    };
  },
  document: (value) =>
    'metrics' in value
      ? value
      : {
          instance: value.instance,
          metric: value.metric,
          queue: value.queue,
          grown: value.grown,
          since: new Date(value.since).toISOString(),
          until: new Date(value.until).toISOString(),
          points: value.points.map((point) => ({ ...point, at: new Date(point.at).toISOString() })),
        },
  render: (value, context) => ('metrics' in value ? renderList(value) : renderHistory(value, context)),
});

/** Of those that were found or are configured. */
function labelOf(app: App, instance: string, queue: string): string {
  const found = readQueues(app.series(), instance) ?? [];
  return queueLabel(
    chooseQueueRef(chooseQueues(instance, app.settings.monitor.queues, found, mostQueues), queue),
  );
}

function unknownMetric(metric: string, ofQueue: boolean): AgentError {
  const names = (ofQueue ? queueMetrics : metrics).map(({ name }) => name);
  const near = closest(metric, names);
  const elsewhere = !ofQueue && queueMetrics.some(({ name }) => name === metric);
  return new AgentError('usage', `there is no metric ${JSON.stringify(metric.slice(0, 80))}`, {
    reason: 'missing',
    hint: elsewhere
      ? 'it is one of queues: add --queue NAME'
      : near === undefined
        ? `see which there are with: redis-agent history${ofQueue ? ' --queue NAME' : ''}`
        : `did you mean ${near}?`,
  });
}

const nothingYet = 'nothing was measured yet: the daemon does that (redis-agent run)';

function renderList({ metrics: known }: Listed): string {
  if (known.length === 0) return nothingYet;
  return renderTable(
    [{ title: 'METRIC' }, { title: 'WHAT IT IS' }],
    known.map(({ name, help }) => [name, help]),
  );
}

function renderHistory(history: History, { style, width }: RenderContext): string {
  const { points, metric, since, until, timezone } = history;
  if (history.csv)
    return renderCsv(
      ['at', metric, 'min', 'max'],
      points.map(({ at, value, min, max }) => [new Date(at).toISOString(), value, min, max]),
    );
  if (points.length === 0) return nothingYet;
  const values = points.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [least, most] = [points.map(({ min }) => min), points.map(({ max }) => max)].map((all) => all);
  const low = (least ?? []).reduce((a, b) => Math.min(a, b), Infinity);
  const high = (most ?? []).reduce((a, b) => Math.max(a, b), -Infinity);
  const columns = Math.max(10, Math.min(width - 2, 78));
  const bins = intoColumns(points, { since, until, columns: rows });
  const table = bins.flatMap((value, index) =>
    value === undefined
      ? []
      : [[formatTime(since + (index * (until - since)) / rows, timezone), formatMeasure(metric, value)]],
  );
  return [
    `${style.strong(metric)}${history.queue === undefined ? '' : ` of ${printable(history.queue)}`}  ${history.help}`,
    sparkline(intoColumns(points, { since, until, columns })),
    `least ${formatMeasure(metric, low)}, mean ${formatMeasure(metric, mean)}, most ${formatMeasure(metric, high)}`,
    '',
    renderTable([{ title: 'FROM' }, { title: 'MEAN', align: 'right' }], table),
  ].join('\n');
}
