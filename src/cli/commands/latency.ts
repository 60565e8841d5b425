import { intoColumns, readTrend } from '../../app/history/trend.ts';
import type { CommandCost } from '../../domain/sample.ts';
import { readCosts } from '../../state/series/tallies.ts';
import { defineCommand, type RenderContext } from '../define-command.ts';
import { renderCsv } from '../render/csv.ts';
import { formatMicros } from '../render/measure.ts';
import { sparkline } from '../render/sparkline.ts';
import { renderTable } from '../render/table.ts';
import { historyOptions, parseSince } from '../since.ts';

/** A length of time over the past; seconds. */
interface Curve {
  name: string;
  what: string;
  last: number | null;
  mean: number | null;
  worst: number | null;
  shape: (number | undefined)[];
}

interface Latency {
  instance: string;
  since: number;
  csv: boolean;
  curves: Curve[];
  commands: (CommandCost & { share: number })[];
}

const shown = 15;
const columns = 24;
const curves = [
  ['round_trip_seconds', 'round trip (the agent’s PING)'],
  ['command_p50_seconds', 'execution p50, at most'],
  ['command_p95_seconds', 'execution p95, at most'],
  ['command_p99_seconds', 'execution p99, at most'],
] as const;

export const latencyCommand = defineCommand<{ since: string; csv: boolean }, Latency>({
  usage: 'latency',
  summary: 'How long commands take, on the way and in the server, and which commands take its time',
  options: (yargs) => historyOptions(yargs, '24h'),
  async run(context, { since, csv }) {
    const span = parseSince(since);
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    const until = context.clock.now();
    const window = { since: until - span, until };
    const series = app.series();
    const costs = readCosts(series, name, window.since);
    const all = costs.reduce((sum, { micros }) => sum + micros, 0);
    return {
      instance: name,
      since: window.since,
      csv,
      curves: curves.map(([metric, what]) => {
        const points = readTrend(series, name, metric, window);
        const values = points.map(({ value }) => value);
        return {
          name: metric,
          what,
          last: values.at(-1) ?? null,
          mean: values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length,
          worst: points.reduce<number | null>((worst, { max }) => Math.max(worst ?? 0, max), null),
          shape: intoColumns(points, { ...window, columns }),
        };
      }),
      commands: costs.map((cost) => ({ ...cost, share: all === 0 ? 0 : cost.micros / all })),
    };
  },
  document: ({ instance, since, curves: all, commands }) => ({
    instance,
    since: new Date(since).toISOString(),
    curves: all.map(({ name, last, mean, worst }) => ({
      name,
      last_seconds: last,
      mean_seconds: mean,
      worst_seconds: worst,
    })),
    commands: commands.map(({ command, calls, micros, share }) => ({
      command,
      calls,
      total_seconds: micros / 1e6,
      mean_seconds: calls === 0 ? null : micros / calls / 1e6,
      share,
    })),
  }),
  render: renderLatency,
});

const show = (seconds: number | null): string => (seconds === null ? '–' : formatMicros(seconds * 1e6));

function renderLatency({ csv, curves: all, commands }: Latency, { style }: RenderContext): string {
  if (csv)
    return renderCsv(
      ['command', 'calls', 'total_seconds', 'mean_seconds', 'share'],
      commands.map(({ command, calls, micros, share }) => [
        command,
        calls,
        micros / 1e6,
        calls === 0 ? null : micros / calls / 1e6,
        share,
      ]),
    );
  const seen = all.filter(({ last }) => last !== null);
  const table = renderTable(
    [
      { title: '' },
      { title: 'LAST', align: 'right' },
      { title: 'MEAN', align: 'right' },
      { title: 'WORST', align: 'right' },
      { title: '' },
    ],
    seen.map(({ what, last, mean, worst, shape }) => [
      what,
      show(last),
      show(mean),
      show(worst),
      sparkline(shape),
    ]),
  );
  if (seen.length === 0) return 'nothing was measured yet: the daemon does that (redis-agent run)';
  const notes = all.some(({ name, last }) => name === 'command_p95_seconds' && last === null)
    ? ['execution times need Redis 7.0 or newer, or Valkey, and two minutes with commands in them']
    : [
        'execution is without the way through the network; the server’s histograms double from edge to edge, up to a second',
      ];
  const costs = renderTable(
    [
      { title: 'COMMAND' },
      { title: 'CALLS', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: 'MEAN', align: 'right' },
      { title: 'SHARE', align: 'right' },
    ],
    commands
      .slice(0, shown)
      .map(({ command, calls, micros, share }) => [
        command.toUpperCase().replace('|', ' '),
        String(calls),
        formatMicros(micros),
        calls === 0 ? '–' : formatMicros(micros / calls),
        `${Math.round(share * 100)} %`,
      ]),
  );
  const parts = [table, ...notes.map((note) => style.faint(note))];
  return commands.length === 0 ? parts.join('\n') : [...parts, '', costs].join('\n');
}
