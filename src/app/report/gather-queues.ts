import { queueLabel, queueSubject } from '../../domain/queue.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { mostQueues } from '../../monitor/collect/queues.ts';
import { chooseQueues } from '../../monitor/collect/queues/choose.ts';
import type { EpisodeFacts, QueueFacts } from '../../report/facts.ts';
import { readQueues } from '../../state/series/queues.ts';
import type { App } from '../build-app.ts';
import { readGrowth, readTrend } from '../history/trend.ts';
import { withGaps } from './gather-history.ts';

/** What the daemon saw of queues at last; one that it has not seen for a while is not among them. */
const recent = 15 * 60_000;

/** Work was due and nothing was finished, or nobody was there to work. */
const stuckRules = ['queue-stuck', 'queue-unattended'];

/** Those that were watched lately, the longest first, and what the span saw of each. */
export function gatherQueues(
  app: App,
  { name }: InstanceSettings,
  since: number,
  episodes: readonly EpisodeFacts[],
): QueueFacts[] {
  const series = app.series();
  const until = app.clock.now() + 1;
  const span = { since, until: app.clock.now() };
  const refs = chooseQueues(name, app.settings.monitor.queues, readQueues(series, name) ?? [], mostQueues);
  const facts = refs.flatMap((ref): QueueFacts[] => {
    const label = queueLabel(ref);
    const last = (metric: string): number | undefined =>
      series.read(queueSubject(name, label), metric, { since: until - recent, until }).at(-1)?.mean;
    const waiting = last('queue_waiting');
    if (waiting === undefined) return [];
    const subject = queueSubject(name, label);
    const waited = readTrend(series, subject, 'queue_waiting', span);
    const ages = readTrend(series, subject, 'queue_oldest_seconds', span);
    const grown = (metric: string): number | null => readGrowth(series, subject, metric, span);
    return [
      {
        name: label,
        kind: ref.kind,
        waiting,
        active: last('queue_active') ?? 0,
        delayed: last('queue_delayed') ?? 0,
        failed: last('queue_failed') ?? 0,
        workers: last('queue_workers') ?? null,
        oldestSeconds: waiting === 0 ? null : (last('queue_oldest_seconds') ?? null),
        span: {
          waiting: withGaps(waited, span),
          mostWaiting: highest(waited),
          oldestSeconds: highest(ages),
          completed: grown('queue_completed_total'),
          failed: grown('queue_failed_total'),
          stalled: grown('queue_stalled_total'),
          stuck: episodes
            .filter(({ rule, resource }) => stuckRules.includes(rule) && resource === label)
            .map(({ opened, closed }) => ({ opened, closed })),
        },
      },
    ];
  });
  return facts.toSorted((a, b) => b.waiting - a.waiting || (a.name < b.name ? -1 : 1)).slice(0, 100);
}

function highest(points: readonly { max: number }[]): number | null {
  return points.length === 0 ? null : points.reduce((most, { max }) => Math.max(most, max), 0);
}
