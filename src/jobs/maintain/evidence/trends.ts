import type { EvidenceLine } from '../../../domain/task.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { forecast } from '../../../monitor/forecast.ts';
import { wasMeasured } from '../../../state/series/measured.ts';
import { readSlow } from '../../../state/series/slow.ts';
import type { Evidence, EvidenceSource } from './source.ts';
import { counted } from '../../../lib/text/counted.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const unseen: EvidenceLine = {
  text: 'nothing was measured in that time: the daemon does that (redis-agent run)',
  ok: null,
};

/** Where memory is heading: not in order when it will be full within so many days. */
function memoryWithin(days: number): Evidence {
  return (source) => {
    const { series, instance, now } = source;
    const read = (metric: string, span: number): { at: number; value: number }[] =>
      series()
        .read(instance.name, metric, { since: now - span, until: now + 1, step: hour })
        .map(({ at, mean }) => ({ at, value: mean }));
    const used = read('memory_used_bytes', 60 * day);
    const week = used.filter(({ at }) => at >= now - 7 * day);
    const [first, last] = [week[0], week.at(-1)];
    if (first === undefined || last === undefined) return Promise.resolve([unseen]);
    const change = last.value - first.value;
    const limit = read('memory_limit_bytes', day).at(-1)?.value;
    const moved = `${change < 0 ? '−' : '+'}${formatBytes(Math.abs(change))}`;
    const lines: EvidenceLine[] = [
      {
        text: `${formatBytes(last.value)} used, ${moved} since ${new Date(first.at).toISOString().slice(0, 10)}`,
        ok: true,
      },
    ];
    if (limit === undefined) return Promise.resolve([...lines, { text: 'no limit is known', ok: null }]);
    const known = forecast(used, { now, limit });
    lines.push(
      known === undefined
        ? { text: 'no forecast yet: it takes three days', ok: null }
        : {
            text:
              known.days === null
                ? `${formatBytes(limit)} are not reached within a year at this rate`
                : `${formatBytes(limit)} are reached in about ${counted(Math.round(known.days), 'day')} (80 of 100: ${known.earliest ?? '–'} to ${known.latest ?? 'never'})`,
            ok: known.days === null || known.days > days,
          },
    );
    return Promise.resolve(lines);
  };
}

export const memoryTrend = memoryWithin(30);
export const capacityReview = memoryWithin(90);

/** The slowest shapes of the week; those that were not there the last time are new. */
export function slowlogReview({ series, instance, now, last }: EvidenceSource): Promise<EvidenceLine[]> {
  const { groups, lost } = readSlow(series(), instance.name, now - 7 * day);
  if (groups.length === 0)
    return Promise.resolve([
      wasMeasured(series(), instance.name, { since: now - 7 * day, now })
        ? { text: 'no slow command was seen', ok: true }
        : unseen,
    ]);
  const known = last?.evidence.map(({ text }) => text.replace(/^new: /, '')) ?? [];
  const lines = groups.slice(0, 8).map(({ fingerprint, count, worst }): EvidenceLine => {
    const fresh = last !== undefined && !known.some((text) => text.startsWith(`${fingerprint}: `));
    const times = `${count} ${count === 1 ? 'time' : 'times'}, worst ${Math.round(worst / 1000)} ms`;
    return { text: `${fresh ? 'new: ' : ''}${fingerprint}: ${times}`, ok: !fresh };
  });
  if (lost > 0) lines.push({ text: `${lost} more went by unseen: slowlog-max-len is too small`, ok: false });
  return Promise.resolve(lines);
}

/** What counts as worse: means of the last 30 days against those of the 30 days before. */
const compared = [
  { metric: 'command_p95_seconds', name: 'p95 of commands', unit: 'ms', scale: 1000, worse: 1.5 },
  { metric: 'round_trip_seconds', name: 'round trip', unit: 'ms', scale: 1000, worse: 1.5 },
] as const;

export function performanceReview({ series, instance, now }: EvidenceSource): Promise<EvidenceLine[]> {
  const mean = (metric: string, since: number, until: number): number | undefined => {
    const points = series().read(instance.name, metric, { since, until, step: hour });
    return points.length === 0 ? undefined : points.reduce((sum, each) => sum + each.mean, 0) / points.length;
  };
  const lines = compared.flatMap(({ metric, name, unit, scale, worse }): EvidenceLine[] => {
    const recent = mean(metric, now - 30 * day, now + 1);
    const before = mean(metric, now - 60 * day, now - 30 * day);
    if (recent === undefined) return [];
    const text = `${name} ${(recent * scale).toFixed(2)} ${unit}`;
    if (before === undefined || before === 0)
      return [{ text: `${text}, nothing to compare with yet`, ok: true }];
    const ratio = recent / before;
    return [{ text: `${text}, ${ratio.toFixed(2)} times that of the 30 days before`, ok: ratio <= worse }];
  });
  const hits = hitRate(series, instance.name, now - 30 * day, now + 1);
  const earlier = hitRate(series, instance.name, now - 60 * day, now - 30 * day);
  if (hits !== undefined)
    lines.push({
      text: `hit rate ${hits.toFixed(1)} %${earlier === undefined ? '' : `, ${earlier.toFixed(1)} % in the 30 days before`}`,
      ok: earlier === undefined || hits > earlier - 10,
    });
  return Promise.resolve(lines.length === 0 ? [unseen] : lines);
}

function hitRate(
  series: EvidenceSource['series'],
  instance: string,
  since: number,
  until: number,
): number | undefined {
  const growth = (metric: string): number => {
    const points = series().read(instance, metric, { since, until, step: hour });
    return points.reduce((sum, { mean }, index) => {
      const before = points[index - 1]?.mean;
      return before === undefined ? sum : sum + (mean >= before ? mean - before : mean);
    }, 0);
  };
  const [hits, misses] = [growth('keyspace_hits_total'), growth('keyspace_misses_total')];
  return hits + misses < 100 ? undefined : (100 * hits) / (hits + misses);
}
