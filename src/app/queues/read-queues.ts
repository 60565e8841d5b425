import type { Progress } from '../../domain/progress.ts';
import { queueSubject, type QueueReading } from '../../domain/queue.ts';
import type { Finding } from '../../domain/finding.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { lookAtQueues, type QueuesSeen } from '../../monitor/look-at-queues.ts';
import { openFindings } from '../../state/episodes.ts';
import { noteQueues, readQueues } from '../../state/series/queues.ts';
import type { App } from '../build-app.ts';
import { readTrend, type TrendPoint } from '../history/trend.ts';

const quarter = 15 * 60_000;
const hour = 60 * 60_000;

/** A queue as it is now, and what the daemon saw of it lately. */
export interface QueueNow {
  reading: QueueReading;
  /** A minute, over the last quarter of an hour; null where nobody has watched. */
  completedRate: number | null;
  failedRate: number | null;
  stalledRate: number | null;
  /** How many waited, over the last hour. */
  waiting: TrendPoint[];
  findings: Pick<Finding, 'rule' | 'severity' | 'summary' | 'remedy'>[];
}

export interface QueuesNow {
  instance: string;
  at: number;
  /** Those of a replica are told of its master. */
  queues: QueueNow[];
  workers: QueuesSeen['workers'];
  unread: QueuesSeen['unread'];
  left: QueuesSeen['left'];
  blind: QueuesSeen['blind'];
}

export interface ReadOptions {
  signal: AbortSignal;
  progress: Progress;
  /** Search again, whatever is known. */
  search: boolean;
}

/** Asks the server; the daemon may be down. */
export async function readQueuesNow(
  app: App,
  instance: InstanceSettings,
  { signal, progress, search }: ReadOptions,
): Promise<QueuesNow> {
  const connection = await app.connect(instance, signal);
  try {
    const { monitor } = app.settings;
    const known = search ? undefined : readQueues(app.series(), instance.name);
    const seen = await lookAtQueues(connection, {
      instance: instance.name,
      settings: monitor,
      found: known,
      clock: app.clock,
      signal,
      onSearch: () => progress.report({ phase: `looking for queues in ${instance.name}` }),
    });
    if (seen.found !== undefined) noteQueues(app.series(), instance.name, seen.found);
    const open = openFindings(app.state(), instance.name);
    return {
      instance: instance.name,
      at: seen.at,
      workers: seen.workers,
      unread: seen.unread,
      left: seen.left,
      blind: seen.blind,
      queues: seen.queues.toSorted(byWork).map((reading) => ({
        ...ratesOf(app, instance.name, reading.label, seen.at),
        reading,
        findings: open.filter(
          ({ rule, resource }) => rule.startsWith('queue-') && resource === reading.label,
        ),
      })),
    };
  } finally {
    connection.close();
  }
}

/** Those in which most is due first; a search finds them in no order. */
function byWork(a: QueueReading, b: QueueReading): number {
  return b.due - a.due || b.active - a.active || names.compare(a.label, b.label);
}

const names = new Intl.Collator('en', { numeric: true });

function ratesOf(
  app: App,
  instance: string,
  label: string,
  now: number,
): Pick<QueueNow, 'completedRate' | 'failedRate' | 'stalledRate' | 'waiting'> {
  const subject = queueSubject(instance, label);
  const read = (metric: string, span: number): TrendPoint[] =>
    readTrend(app.series(), subject, metric, { since: now - span, until: now + 1 });
  const rate = (metric: string): number | null => {
    const points = read(metric, quarter);
    if (points.length === 0) return null;
    return (60 * points.reduce((sum, { value }) => sum + value, 0)) / points.length;
  };
  return {
    completedRate: rate('queue_completed_total'),
    failedRate: rate('queue_failed_total'),
    stalledRate: rate('queue_stalled_total'),
    waiting: read('queue_waiting', hour),
  };
}
