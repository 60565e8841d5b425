import type { QueueSettings } from './settings/queues.ts';

/** What holds the jobs: BullMQ 3 and newer, Bull 3 and 4, a list, a sorted set, a stream with a consumer group. */
export type QueueKind = 'bullmq' | 'bull' | 'list' | 'zset' | 'stream';

/** One queue of one server. */
export interface QueueRef {
  kind: QueueKind;
  db: number;
  /** Of Bull and BullMQ what begins every key, without the last colon; empty for the others. */
  prefix: string;
  /** Of Bull and BullMQ as the application names it; else the key. */
  name: string;
  /** Of a stream. */
  group: string;
  /** Found by its name alone: it may be no queue. */
  guessed: boolean;
  /** What the configuration says of it. */
  settings?: QueueSettings | undefined;
}

/** How people, findings and the history call it: unique within an instance. */
export function queueLabel({ kind, db, prefix, name, group }: QueueRef): string {
  const base = kind === 'bullmq' || kind === 'bull' ? `${prefix}:${name}` : name;
  return `${base}${group === '' ? '' : `/${group}`}${db === 0 ? '' : ` (database ${db})`}`;
}

/** What one poll saw of one queue. What cannot be known is null; times are milliseconds since the epoch. */
export interface QueueReading {
  label: string;
  ref: QueueRef;
  waiting: number;
  active: number;
  /** Due later, and of these what should have begun already. */
  delayed: number;
  overdue: number;
  /** Waiting with a priority, beside `waiting`. */
  prioritized: number;
  /** Parents of flows that wait for their children. */
  children: number;
  failed: number;
  completed: number;
  paused: boolean;
  /** A rate limit of the queue's own holds jobs back now. */
  limited: boolean;
  /** Connected workers. */
  workers: number | null;
  /** Jobs that could be worked on now: waiting, prioritised, overdue, and active ones that no worker holds. */
  due: number;
  /** Since when the oldest of these could be. */
  dueSince: number | null;
  oldestId: string | null;
  oldestName: string | null;
  /** When the first delayed job should have begun. */
  overdueSince: number | null;
  /** Of the oldest active jobs (three at most) those that a worker holds, and those that none does. */
  held: number | null;
  abandoned: number | null;
  /** When something was last finished, as far as can be seen. */
  finishedAt: number | null;
  /** Work is due, and since then nothing has been finished; null: not so. */
  idleSince: number | null;
  /** Counted since the agent watches. */
  completedTotal: number;
  failedTotal: number;
  stalledTotal: number;
  /** When the oldest one that is kept was finished. */
  oldestCompleted: number | null;
  oldestFailed: number | null;
  /** What completed and failed jobs hold, by the size of a few; null: not known. */
  keptBytes: number | null;
}

/** What the history keeps of a queue, by these names. */
export const queueMetrics = [
  { name: 'queue_waiting', kind: 'gauge', help: 'Jobs that wait, those with a priority too.' },
  { name: 'queue_active', kind: 'gauge', help: 'Jobs that are worked on.' },
  { name: 'queue_delayed', kind: 'gauge', help: 'Jobs that are due later.' },
  { name: 'queue_overdue', kind: 'gauge', help: 'Delayed jobs that should have begun.' },
  { name: 'queue_failed', kind: 'gauge', help: 'Failed jobs that are kept.' },
  { name: 'queue_completed', kind: 'gauge', help: 'Completed jobs that are kept.' },
  { name: 'queue_workers', kind: 'gauge', help: 'Workers that are connected.' },
  { name: 'queue_paused', kind: 'gauge', help: 'Whether it is paused.' },
  { name: 'queue_oldest_seconds', kind: 'gauge', help: 'For how long the oldest job has been due.' },
  { name: 'queue_kept_bytes', kind: 'gauge', help: 'Memory that ended jobs hold; an estimate.' },
  {
    name: 'queue_completed_total',
    kind: 'counter',
    help: 'Jobs completed since the agent watches; an estimate.',
  },
  { name: 'queue_failed_total', kind: 'counter', help: 'Jobs failed since the agent watches; an estimate.' },
  { name: 'queue_stalled_total', kind: 'counter', help: 'Jobs whose worker was lost; an estimate.' },
] as const;

/** By the names above; what is not known is not in it. */
function queueValues(reading: QueueReading, now: number): Record<string, number> {
  const { workers, dueSince, due } = reading;
  return {
    queue_waiting: reading.waiting + reading.prioritized,
    queue_active: reading.active,
    queue_delayed: reading.delayed,
    queue_overdue: reading.overdue,
    queue_failed: reading.failed,
    queue_completed: reading.completed,
    queue_paused: reading.paused ? 1 : 0,
    queue_completed_total: reading.completedTotal,
    queue_failed_total: reading.failedTotal,
    queue_stalled_total: reading.stalledTotal,
    ...(reading.keptBytes !== null && { queue_kept_bytes: reading.keptBytes }),
    ...(workers !== null && { queue_workers: workers }),
    ...(due === 0 && { queue_oldest_seconds: 0 }),
    ...(due > 0 && dueSince !== null && { queue_oldest_seconds: Math.max(0, now - dueSince) / 1000 }),
  };
}

/** Queues with series of their own: each is a dozen in the history, and in somebody's Prometheus. */
const mostRows = 100;

/**
 * The values of all queues, a row each: those that the configuration names first, then by their labels, so that every poll
 * chooses the same. The rest is one row, `other`.
 */
export function queueRows(
  queues: readonly QueueReading[],
  now: number,
): { label: string; values: Record<string, number> }[] {
  const rank = ({ ref }: QueueReading): number => (ref.settings === undefined ? 1 : 0);
  const sorted = queues.toSorted((a, b) => rank(a) - rank(b) || (a.label < b.label ? -1 : 1));
  const rows = sorted.slice(0, mostRows).map((queue) => ({
    label: queue.label,
    values: queueValues(queue, now),
  }));
  const rest = sorted.slice(mostRows).map((queue) => queueValues(queue, now));
  return rest.length === 0 ? rows : [...rows, { label: 'other', values: sumOf(rest) }];
}

function sumOf(all: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const values of all)
    for (const [name, value] of Object.entries(values))
      sum[name] =
        name === 'queue_oldest_seconds' ? Math.max(sum[name] ?? 0, value) : (sum[name] ?? 0) + value;
  return sum;
}

/** The history's name of a queue of an instance. */
export const queueSubject = (instance: string, label: string): string => `${instance} queue ${label}`;
