import type { InstanceSettings } from '../../domain/settings.ts';
import type { Point } from '../../report/document.ts';
import type { HistoryFacts, SlowFacts } from '../../report/facts.ts';
import { readSlow } from '../../state/series/slow.ts';
import type { App } from '../build-app.ts';
import { readMemory } from '../history/read-memory.ts';
import { readTrend, type TrendPoint } from '../history/trend.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
/** So far back every poll is kept. */
const recently = 2 * day;
/** Days of a forecast that are drawn beyond now. */
const drawn = 14;

/** What was measured since then; a stretch in which nobody looked is a gap. */
export function gatherHistory(app: App, instance: InstanceSettings, since: number): HistoryFacts {
  const until = app.clock.now();
  const read = (metric: string): TrendPoint[] =>
    readTrend(app.series(), instance.name, metric, { since, until });
  const span = { since, until };
  const curve = (metric: string, scale = 1): Point[] => withGaps(read(metric), span, scale);
  const up = curve('up');
  return {
    from: up[0]?.[0] ?? null,
    lapsed: lapsedSince(app, instance, up),
    up,
    memory: curve('memory_used_bytes'),
    commands: curve('commands_total'),
    latencyP95: curve('command_p95_seconds', 1000),
    roundTrip: curve('round_trip_seconds', 1000),
    hitRate: shareOf(read('keyspace_hits_total'), read('keyspace_misses_total'), span),
    clients: curve('clients_connected'),
    evictions: curve('evicted_keys_total'),
    forecast: forecastOf(app, instance, since),
  };
}

/** Slow commands by their shape, those that took most time first. Milliseconds. */
export function gatherSlow(app: App, { name }: InstanceSettings, since: number): SlowFacts[] {
  return readSlow(app.series(), name, since)
    .groups.slice(0, 12)
    .map(({ shape, fingerprint, count, total, p95, worst }) => ({
      fingerprint: shape === '' ? fingerprint : shape,
      count,
      totalMs: total / 1000,
      p95Ms: p95 / 1000,
      worstMs: worst / 1000,
    }));
}

/** The coarsest step that readTrend uses for a span, and some more: wider apart, nobody looked in between. */
function widest(span: number): number {
  const step = span <= 6 * 60 * minute ? minute : span <= 4 * day ? 5 * minute : 60 * minute;
  return 4 * step;
}

/** A stretch in which nobody looked is a null between its neighbours, or after the last one. */
export function withGaps(
  points: readonly { at: number; value: number }[],
  { since, until }: { since: number; until: number },
  scale = 1,
): Point[] {
  const limit = widest(until - since);
  return points.flatMap(({ at, value }, index): Point[] => {
    const next = points[index + 1]?.at ?? until;
    const gap: Point[] = next - at > limit ? [[at + limit / 4, null]] : [];
    return [[at, value * scale], ...gap];
  });
}

/** Since when nobody looks, where somebody did: the curves of a long span are too coarse to tell. */
function lapsedSince(app: App, { name }: InstanceSettings, up: readonly Point[]): number | null {
  const until = app.clock.now();
  const recent = app.series().read(name, 'up', { since: until - recently, until: until + 1, step: 0 });
  const last = recent.at(-1)?.at ?? up.findLast(([, value]) => value !== null)?.[0];
  const longest = Math.max(10 * minute, 4 * (app.settings.monitor.interval ?? 0));
  return last === undefined || until - last <= longest ? null : last;
}

/** Percent of look-ups that found their key; nothing where there were none. */
function shareOf(
  hits: readonly TrendPoint[],
  misses: readonly TrendPoint[],
  span: { since: number; until: number },
): Point[] {
  const missed = new Map(misses.map(({ at, value }) => [at, value]));
  const shares = hits.flatMap(({ at, value }) => {
    const all = value + (missed.get(at) ?? 0);
    return all === 0 ? [] : [{ at, value: (100 * value) / all }];
  });
  return withGaps(shares, span);
}

function forecastOf(app: App, instance: InstanceSettings, since: number): HistoryFacts['forecast'] {
  const { forecast, limit, used } = readMemory(app, instance, since);
  if (forecast === null || limit === null || used === null) return null;
  const now = app.clock.now();
  // From what is likely to what may be: straight lines to where the limit would be reached.
  const at = (days: number | null, ahead: number): number =>
    days === null || days === 0 ? used : used + ((limit - used) * ahead) / days;
  const band = [0, drawn].map((ahead) => ({
    at: now + ahead * day,
    low: Math.min(at(forecast.latest, ahead), limit),
    high: Math.min(at(forecast.earliest, ahead), limit * 1.2),
  }));
  return {
    limit,
    days: { low: forecast.earliest, middle: forecast.days, high: forecast.latest },
    band: forecast.earliest === null ? [] : band,
  };
}
