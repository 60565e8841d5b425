import { readMemory, type MemoryTrend } from '../../app/history/read-memory.ts';
import { intoColumns } from '../../app/history/trend.ts';
import { AgentError } from '../../domain/errors.ts';
import type { PrefixChange } from '../../keyspace/diff.ts';
import { counted } from '../../lib/text/counted.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { defineCommand, type CommandContext, type RenderContext } from '../define-command.ts';
import { openDump } from '../../app/dumps/dump-source.ts';
import { compareReports, reportPair } from '../../app/dumps/report-pair.ts';
import { renderCsv } from '../render/csv.ts';
import { round } from '../render/measure.ts';
import { paintSeverity } from '../render/severity.ts';
import { sparkline } from '../render/sparkline.ts';
import { renderTable } from '../render/table.ts';
import { historyOptions, parseSince } from '../since.ts';

interface Memory extends MemoryTrend {
  csv: boolean;
  /** What changed most between the two newest backups; null: there are not two that have their key report. */
  movers: Pick<PrefixChange, 'prefix' | 'delta'>[] | null;
}

const mostMovers = 8;

export const memoryCommand = defineCommand<{ since: string; csv: boolean }, Memory>({
  usage: 'memory',
  summary: 'Memory over time, when it will be full, and which keys grew',
  options: (yargs) => historyOptions(yargs, '7d'),
  async run(context, { since, csv }) {
    const span = parseSince(since);
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const trend = readMemory(app, instance, context.clock.now() - span);
    return { ...trend, csv, movers: csv ? null : await readMovers(context) };
  },
  document: ({ instance, since, used, limit, peak, rss, forecast, points, findings, movers }) => ({
    instance,
    since: new Date(since).toISOString(),
    used_bytes: used,
    limit_bytes: limit,
    peak_bytes: peak,
    rss_bytes: rss,
    forecast:
      forecast === null
        ? null
        : {
            days: forecast.days,
            earliest_days: forecast.earliest,
            latest_days: forecast.latest,
            bytes_per_day: forecast.perDay,
          },
    points: points.map(({ at, value }) => ({ at: new Date(at).toISOString(), used_bytes: value })),
    findings,
    movers:
      movers?.map(({ prefix, delta }) => ({ prefix, memory_bytes: delta.memory, keys: delta.keys })) ?? null,
  }),
  render: renderMemory,
});

/** From the key reports that lie beside the backups: they cost the server nothing. */
async function readMovers(context: CommandContext): Promise<Memory['movers']> {
  try {
    const sources = [await openDump(context, 'previous'), await openDump(context, 'latest')] as const;
    const { prefixes } = compareReports(await reportPair(context, sources, 'stored'), 'memory');
    return prefixes.list.slice(0, mostMovers).map(({ prefix, delta }) => ({ prefix, delta }));
  } catch (error) {
    if (error instanceof AgentError && error.code !== 'interrupted') return null;
    throw error;
  }
}

function renderMemory(memory: Memory, { style, width }: RenderContext): string {
  const { points, since, until, used, limit, peak, rss, findings, movers } = memory;
  if (memory.csv)
    return renderCsv(
      ['at', 'used_bytes'],
      points.map(({ at, value }) => [new Date(at).toISOString(), value]),
    );
  if (used === null && points.length === 0)
    return 'nothing was measured yet: the daemon does that (redis-agent run)';
  const columns = Math.max(10, Math.min(width - 2, 78));
  const share =
    used === null || limit === null ? '' : ` of ${formatBytes(limit)} (${round((100 * used) / limit)} %)`;
  const lines = [
    used === null ? 'not measured in the last minutes' : `${style.strong(formatBytes(used))}${share} used`,
    `most ${peak === null ? '–' : formatBytes(peak)} since it started, ${rss === null ? '–' : formatBytes(rss)} resident`,
    sparkline(intoColumns(points, { since, until, columns })),
    describeForecast(memory),
  ];
  if (findings.length > 0)
    lines.push(
      '',
      renderTable(
        [{ title: '' }, { title: '' }],
        findings.map(({ severity, summary, remedy }) => [
          { text: severity, paint: paintSeverity(style, severity) },
          `${summary}; ${remedy}`,
        ]),
      ),
    );
  if (movers === null)
    lines.push('', style.faint('which keys grew: after two backups (redis-agent keys diff)'));
  else if (movers.length > 0)
    lines.push(
      '',
      renderTable(
        [
          { title: 'GREW BETWEEN THE LAST TWO BACKUPS' },
          { title: 'MEMORY', align: 'right' },
          { title: 'KEYS', align: 'right' },
        ],
        movers.map(({ prefix, delta }) => [
          prefix,
          signed(formatBytes(delta.memory)),
          signed(String(delta.keys)),
        ]),
      ),
    );
  return lines.join('\n');
}

const signed = (text: string): string => (text.startsWith('-') ? text : `+${text}`);

function describeForecast({ forecast, limit }: Memory): string {
  if (limit === null) return 'there is no limit known to forecast against';
  if (forecast === null) return 'no forecast: that takes three days of history';
  const { days, earliest, latest, perDay } = forecast;
  const pace = `${signed(formatBytes(Math.round(perDay)))} a day`;
  if (earliest === null) return `${pace}: not full within a year`;
  const between = `with 80 % between ${inDays(earliest)} and ${inDays(latest)}`;
  return days === null
    ? `${pace}: likely not full within a year, but ${between}`
    : `${pace}: full in ${inDays(days)}, ${between}`;
}

function inDays(days: number | null): string {
  if (days === null) return 'more than a year';
  return days < 2 ? counted(Math.round(days * 24), 'hour') : counted(Math.round(days), 'day');
}
