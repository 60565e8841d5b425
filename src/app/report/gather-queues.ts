import { queueLabel, queueSubject } from '../../domain/queue.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { mostQueues } from '../../monitor/collect/queues.ts';
import { chooseQueues } from '../../monitor/collect/queues/choose.ts';
import type { QueueFacts } from '../../report/facts.ts';
import { readQueues } from '../../state/series/queues.ts';
import type { App } from '../build-app.ts';

/** What the daemon saw of queues at last; one that it has not seen for a while is not among them. */
const recent = 15 * 60_000;

/** Those that were watched lately, the longest first. */
export function gatherQueues(app: App, { name }: InstanceSettings): QueueFacts[] {
  const series = app.series();
  const until = app.clock.now() + 1;
  const refs = chooseQueues(name, app.settings.monitor.queues, readQueues(series, name) ?? [], mostQueues);
  const facts = refs.flatMap((ref): QueueFacts[] => {
    const label = queueLabel(ref);
    const last = (metric: string): number | undefined =>
      series.read(queueSubject(name, label), metric, { since: until - recent, until }).at(-1)?.mean;
    const waiting = last('queue_waiting');
    if (waiting === undefined) return [];
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
      },
    ];
  });
  return facts.toSorted((a, b) => b.waiting - a.waiting || (a.name < b.name ? -1 : 1)).slice(0, 100);
}
