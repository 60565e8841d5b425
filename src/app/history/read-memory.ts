import type { Finding } from '../../domain/finding.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { forecast, type Forecast } from '../../monitor/forecast.ts';
import { openFindings } from '../../state/episodes.ts';
import type { App } from '../build-app.ts';
import { readTrend, type TrendPoint } from './trend.ts';

const day = 86_400_000;
/** What a forecast is made from, at most. */
const past = 60 * day;

export interface MemoryTrend {
  instance: string;
  since: number;
  until: number;
  /** Bytes; null before anything was measured. */
  used: number | null;
  limit: number | null;
  peak: number | null;
  rss: number | null;
  /** null: three days of history are needed, and a limit. */
  forecast: Forecast | null;
  points: TrendPoint[];
  /** What is wrong with the memory now. */
  findings: Pick<Finding, 'rule' | 'severity' | 'summary' | 'remedy'>[];
}

/** Memory over the past, and when it will be full if it goes on so. */
export function readMemory(app: App, { name }: InstanceSettings, since: number): MemoryTrend {
  const series = app.series();
  const until = app.clock.now();
  const newest = (metric: string): number | null =>
    series.read(name, metric, { since: until - 10 * 60_000, until: until + 1 }).at(-1)?.mean ?? null;
  const limit = newest('memory_limit_bytes');
  const hours = series
    .read(name, 'memory_used_bytes', { since: until - past, until, step: 3_600_000 })
    .map(({ at, mean }) => ({ at, value: mean }));
  const known = limit === null ? undefined : forecast(hours, { now: until, limit });
  return {
    instance: name,
    since,
    until,
    used: newest('memory_used_bytes'),
    limit,
    peak: newest('memory_peak_bytes'),
    rss: newest('memory_rss_bytes'),
    forecast: known ?? null,
    points: readTrend(series, name, 'memory_used_bytes', { since, until }),
    findings: openFindings(app.state(), name)
      .filter(({ rule }) => rule.startsWith('memory-') || rule === 'host-memory')
      .map(({ rule, severity, summary, remedy }) => ({ rule, severity, summary, remedy })),
  };
}
