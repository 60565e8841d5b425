import { intoColumns, readTrend, type TrendPoint } from '../../app/history/trend.ts';
import { metrics } from '../../domain/metrics.ts';
import { AgentError } from '../../domain/errors.ts';
import { closest } from '../../lib/closest.ts';
import { defineCommand, type RenderContext } from '../define-command.ts';
import { renderCsv } from '../render/csv.ts';
import { formatMeasure } from '../render/measure.ts';
import { sparkline } from '../render/sparkline.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { historyOptions, parseSince } from '../since.ts';

interface Args {
  metric: string | undefined;
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
      yargs.positional('metric', {
        type: 'string',
        describe: 'Such as memory_used_bytes; counters are shown as growth a second',
      }),
      '24h',
    ),
  examples: [
    ['$0 history', 'what there is'],
    ['$0 history commands_total --since 7d', ''],
    ['$0 history memory_used_bytes --since 30d --csv', 'for a spreadsheet'],
  ],
  async run(context, { metric, since, csv }) {
    const span = parseSince(since);
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    const series = app.series();
    const known = metrics.filter((each) => metric === undefined && series.metrics(name).includes(each.name));
    if (metric === undefined)
      return {
        instance: name,
        metrics: known.map((each) => ({ name: each.name, kind: each.kind, help: each.help })),
      };
    const found = metrics.find((each) => each.name === metric);
    if (found === undefined) throw unknownMetric(metric);
    const until = context.clock.now();
    const window = { since: until - span, until };
    const { timezone } = app.settings;
    return {
      instance: name,
      metric,
      help: found.help,
      ...window,
      timezone,
      csv,
      points: readTrend(series, name, metric, window),
    };
  },
  document: (value) =>
    'metrics' in value
      ? value
      : {
          instance: value.instance,
          metric: value.metric,
          since: new Date(value.since).toISOString(),
          until: new Date(value.until).toISOString(),
          points: value.points.map((point) => ({ ...point, at: new Date(point.at).toISOString() })),
        },
  render: (value, context) => ('metrics' in value ? renderList(value) : renderHistory(value, context)),
});

function unknownMetric(metric: string): AgentError {
  const near = closest(
    metric,
    metrics.map(({ name }) => name),
  );
  return new AgentError('usage', `there is no metric ${JSON.stringify(metric.slice(0, 80))}`, {
    reason: 'missing',
    hint: near === undefined ? 'see which there are with: redis-agent history' : `did you mean ${near}?`,
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
    `${style.strong(metric)}  ${history.help}`,
    sparkline(intoColumns(points, { since, until, columns })),
    `least ${formatMeasure(metric, low)}, mean ${formatMeasure(metric, mean)}, most ${formatMeasure(metric, high)}`,
    '',
    renderTable([{ title: 'FROM' }, { title: 'MEAN', align: 'right' }], table),
  ].join('\n');
}
