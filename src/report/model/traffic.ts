import type { Block, Chart, Unit } from '../document.ts';
import type { InstanceFacts, ReportFacts } from '../facts.ts';
import { cell, figure, formatCount, formatValue, summarize } from './format.ts';

export function chartOf(
  { since, now }: ReportFacts,
  title: string,
  unit: Unit,
  lines: Chart['lines'],
  more: Partial<Pick<Chart, 'limits' | 'band' | 'to'>> = {},
): Block[] {
  const measured = lines.filter(({ points }) => summarize(points) !== undefined);
  if (measured.length === 0) return [];
  const chart: Chart = {
    title,
    unit,
    from: since,
    to: now,
    lines: measured,
    limits: [],
    band: null,
    ...more,
  };
  return [{ kind: 'chart', chart }];
}

const nothing = (what: string): Block => ({
  kind: 'text',
  tone: 'none',
  text: `No ${what} yet: the daemon measures it while it runs.`,
});

export function memoryBlocks(instance: InstanceFacts, facts: ReportFacts): Block[] {
  const { server, history } = instance;
  const { forecast, memory } = history;
  const now = summarize(memory);
  const used = 'problem' in server ? now?.last : server.used_memory;
  const limit =
    'problem' in server ? (forecast?.limit ?? null) : (server.memory_limit ?? forecast?.limit ?? null);
  const share = used === undefined || limit === null ? undefined : used / limit;
  const blocks: Block[] = [
    {
      kind: 'figures',
      figures: [
        figure(
          'Used',
          used === undefined ? 'unknown' : formatValue(used, 'bytes'),
          limit === null ? 'no limit is set' : `of ${formatValue(limit, 'bytes')}`,
          share === undefined ? 'none' : share > 0.9 ? 'bad' : share > 0.8 ? 'warning' : 'good',
        ),
        figure(
          'Change in this span',
          now === undefined ? '–' : signed(now.last - now.first, (value) => formatValue(value, 'bytes')),
        ),
        figure('Until the limit', forecastText(forecast), forecastNote(forecast)),
        figure('Highest', now === undefined ? '–' : formatValue(now.high, 'bytes')),
      ],
    },
  ];
  const band =
    forecast === null || forecast.band.length === 0
      ? null
      : { name: '80 % of what may come', points: forecast.band };
  const to = Math.max(facts.now, forecast?.band.at(-1)?.at ?? 0);
  const limits = limit === null ? [] : [{ name: 'limit', value: limit, tone: 'bad' as const }];
  const chart = chartOf(facts, 'Memory used', 'bytes', [{ name: 'used', points: memory }], {
    limits,
    band,
    to,
  });
  return [...blocks, ...(chart.length === 0 ? [nothing('memory history')] : chart)];
}

function forecastText(forecast: InstanceFacts['history']['forecast']): string {
  if (forecast === null) return 'not known';
  const { low, middle } = forecast.days;
  if (middle === null && low === null) return 'not in sight';
  return middle === null
    ? `${formatCount(Math.floor(low ?? 0))} d or more`
    : `about ${formatCount(Math.round(middle))} d`;
}

function forecastNote(forecast: InstanceFacts['history']['forecast']): string {
  if (forecast === null) return 'a forecast needs three days and a limit';
  const { low, high } = forecast.days;
  if (low === null) return 'at the present rate';
  return `80 %: ${formatCount(Math.floor(low))} d to ${high === null ? 'never' : `${formatCount(Math.ceil(high))} d`}`;
}

function signed(value: number, write: (value: number) => string): string {
  return value < 0 ? `−${write(-value)}` : `+${write(value)}`;
}

export function trafficBlocks(instance: InstanceFacts, facts: ReportFacts): Block[] {
  const { commands, latencyP95, roundTrip, hitRate, clients, evictions } = instance.history;
  const [rate, p95, hits, connected, evicted] = [commands, latencyP95, hitRate, clients, evictions].map(
    summarize,
  );
  const blocks: Block[] = [
    {
      kind: 'figures',
      figures: [
        figure(
          'Commands',
          rate === undefined ? '–' : formatValue(rate.mean, 'per-second'),
          'mean of the span',
        ),
        figure(
          'p95 of commands',
          p95 === undefined ? '–' : formatValue(p95.last, 'milliseconds'),
          'execution, without the network',
        ),
        figure('Hit rate', hits === undefined ? '–' : formatValue(hits.mean, 'percent'), 'mean of the span'),
        figure(
          'Clients',
          connected === undefined ? '–' : formatCount(connected.last),
          connected === undefined ? null : `at most ${formatCount(connected.high)}`,
        ),
        figure(
          'Evictions',
          evicted === undefined ? '–' : formatCount(evicted.mean * evicted.count),
          null,
          evicted !== undefined && evicted.high > 0 ? 'warning' : 'none',
        ),
      ],
    },
  ];
  const charts = [
    ...chartOf(facts, 'Commands', 'per-second', [{ name: 'commands', points: commands }]),
    ...chartOf(facts, 'Latency', 'milliseconds', [
      { name: 'p95 of commands', points: latencyP95 },
      { name: 'round trip', points: roundTrip },
    ]),
    ...chartOf(facts, 'Hit rate', 'percent', [{ name: 'hit rate', points: hitRate }]),
    ...chartOf(facts, 'Connected clients', 'count', [{ name: 'clients', points: clients }]),
  ];
  return [...blocks, ...(charts.length === 0 ? [nothing('history')] : charts)];
}

export function slowBlocks({ slow }: InstanceFacts): Block[] {
  const total = slow.reduce((sum, { totalMs }) => sum + totalMs, 0);
  return [
    {
      kind: 'table',
      table: {
        caption: 'Slow commands by their shape; values are never kept',
        columns: [
          { title: 'Shape', align: 'left' },
          { title: 'Count', align: 'right' },
          { title: 'Total', align: 'right' },
          { title: 'p95', align: 'right' },
          { title: 'Worst', align: 'right' },
        ],
        rows: slow.map(({ fingerprint, count, totalMs, p95Ms, worstMs }) => [
          cell(fingerprint, 'none', total === 0 ? 0 : totalMs / total),
          cell(formatCount(count)),
          cell(formatValue(totalMs, 'milliseconds')),
          cell(formatValue(p95Ms, 'milliseconds')),
          cell(formatValue(worstMs, 'milliseconds')),
        ]),
        empty: 'None was seen.',
      },
    },
  ];
}
