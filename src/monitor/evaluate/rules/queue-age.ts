import { boundOf, levelOf, minute } from '../view.ts';
import { age, drains, evidenceOf, isSure, jobs, lookAt, queueRule, steps } from '../queues/queue-rule.ts';

export const queueAge = queueRule(
  {
    id: 'queue-age',
    severity: 'critical',
    title: 'The oldest job of a queue waits for long',
    why: 'Age is what users notice: a short queue can be late, and a long one in time.',
    for: 5 * minute,
  },
  (one) => {
    const { queue, now, view, was } = one;
    if (queue.due === 0 || queue.dueSince === null || queue.paused || !isSure(queue)) return undefined;
    const threshold = steps(queue.ref.settings?.age, view.thresholds.queue_age);
    const severity = levelOf(now - queue.dueSince, threshold, { was });
    if (severity === undefined || drains(one)) return undefined;
    return {
      severity,
      summary: `${queue.label}: the oldest of ${jobs(queue.due)} has been due for ${age(now, queue.dueSince)}`,
      remedy: `more workers, or a higher concurrency; ${lookAt(queue)}`,
      evidence: { ...evidenceOf(queue, now), threshold_seconds: boundOf(threshold, severity) / 1000 },
    };
  },
);
