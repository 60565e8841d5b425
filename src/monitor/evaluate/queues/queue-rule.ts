import { counted } from '../../../lib/text/counted.ts';
import type { Finding, Severity } from '../../../domain/finding.ts';
import type { QueueReading } from '../../../domain/queue.ts';
import type { Rule } from '../../../domain/rule.ts';
import type { Threshold } from '../../../domain/settings/monitor.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator, type Untold, type Verdict } from '../evaluator.ts';
import { nowOf, within, type View } from '../view.ts';

export interface QueueView {
  queue: QueueReading;
  /** Wall time of the poll, milliseconds. */
  now: number;
  view: View;
  was: Severity | undefined;
}

export type QueueVerdict = Omit<Verdict, 'resource'>;

/** A rule over each queue for itself. `untold`: what it goes by cannot be seen, of this queue. */
export function queueRule(
  rule: Parameters<typeof sampleRule>[0],
  judge: (one: QueueView) => QueueVerdict | 'untold' | undefined,
): Evaluator {
  const whole: Rule = { ...sampleRule(rule), page: 'docs/findings/queues.md' };
  return {
    rule: whole,
    judge(view) {
      // Of a server that is billed by command not every poll asks for them.
      const seen = view.samples.findLast(({ queues }) => queues !== undefined);
      if (seen?.queues === undefined) return nowOf(view).texts['role'] === 'replica' ? [] : undefined;
      const { at } = seen;
      const verdicts = seen.queues.flatMap((queue): (Verdict | Untold)[] => {
        const { label: resource } = queue;
        const verdict = judge({ queue, now: at, view, was: view.was(rule.id, resource) });
        if (verdict === 'untold') return [{ resource, untold: true }];
        return verdict === undefined ? [] : [{ ...verdict, resource }];
      });
      const nothing = seen.queues.length > 0 && verdicts.length === seen.queues.length;
      if (nothing && verdicts.every((one) => 'untold' in one)) return undefined;
      return [...verdicts, ...unreadable(view)];
    },
  };
}

/** Those that cannot be read any more: their keys are refused, or of another type. */
function unreadable(view: View): Untold[] {
  return nowOf(view).blind.flatMap(({ collector, reason }): Untold[] =>
    reason === 'keys' || reason === 'type'
      ? [{ resource: collector.replace(/^queue /, ''), untold: true }]
      : [],
  );
}

/** The bound that a queue has of its own, with the same again at two and four times; else the threshold. */
export function steps(own: number | undefined, threshold: Threshold): Threshold {
  return own === undefined ? threshold : { warning: own, high: 2 * own, critical: 4 * own };
}

/** The readings of one queue in the last `span` milliseconds, oldest first. */
function readingsOf({ view, queue }: QueueView, span: number): QueueReading[] {
  return within(view, span).flatMap(({ queues }) => queues?.find(({ label }) => label === queue.label) ?? []);
}

/** What a counter of a queue grew by in the last `span` milliseconds; undefined before there are two readings. */
export function grown(
  one: QueueView,
  span: number,
  counter: 'completedTotal' | 'failedTotal' | 'stalledTotal',
): number | undefined {
  const readings = readingsOf(one, span);
  if (readings.length < 2) return undefined;
  let sum = 0;
  for (const [index, reading] of readings.entries()) {
    const before = readings[index - 1]?.[counter];
    if (before !== undefined) sum += Math.max(0, reading[counter] - before);
  }
  return sum;
}

const fiveMinutes = 300_000;

/** Fewer wait than five minutes ago, or since we watch, and jobs are finished: it only takes its time. */
export function drains(one: QueueView): boolean {
  const readings = readingsOf(one, fiveMinutes);
  const [first] = readings;
  const { queue } = one;
  if (first === undefined || readings.length < 2) return false;
  const ended =
    (grown(one, fiveMinutes, 'completedTotal') ?? 0) + (grown(one, fiveMinutes, 'failedTotal') ?? 0);
  return ended > 0 && queue.waiting + queue.prioritized < first.waiting + first.prioritized;
}

/** A list that only is called a queue counts as one when something was seen to be taken from it. */
export const isSure = ({ ref, completedTotal }: QueueReading): boolean => !ref.guessed || completedTotal > 0;

export const age = (now: number, since: number): string => formatDuration(Math.max(0, now - since));

/** What an operator looks at first. */
export function evidenceOf(queue: QueueReading, now: number): Finding['evidence'] {
  return {
    kind: queue.ref.kind,
    waiting: queue.waiting + queue.prioritized,
    active: queue.active,
    due: queue.due,
    workers: queue.workers,
    oldest_seconds: queue.dueSince === null ? null : Math.round((now - queue.dueSince) / 1000),
  };
}

export const jobs = (count: number): string => counted(count, 'job');

/** How to look at it. The label is text from outside. */
export const lookAt = ({ label }: QueueReading): string =>
  `redis-agent queues show ${/^[\w:.-]+$/.test(label) ? label : `'${label.replaceAll("'", "'\\''")}'`}`;
