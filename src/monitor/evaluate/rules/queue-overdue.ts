import { boundOf, levelOf, minute } from '../view.ts';
import { age, evidenceOf, jobs, lookAt, queueRule } from '../queues/queue-rule.ts';

export const queueOverdue = queueRule(
  {
    id: 'queue-overdue',
    severity: 'high',
    title: 'Delayed jobs are not begun when they are due',
    why: 'Workers promote them: where none runs, or its clock is wrong, they stay where they are.',
    for: minute,
  },
  ({ queue, now, view, was }) => {
    if (queue.overdueSince === null || queue.overdue === 0 || queue.paused) return undefined;
    const threshold = view.thresholds.queue_overdue;
    const severity = levelOf(now - queue.overdueSince, threshold, { was });
    if (severity === undefined) return undefined;
    return {
      severity,
      summary: `${queue.label}: ${jobs(queue.overdue)} of ${queue.delayed} delayed should have begun, the first ${age(now, queue.overdueSince)} ago`,
      remedy: `is a worker running, and are the clocks of all hosts right? ${lookAt(queue)}`,
      evidence: {
        ...evidenceOf(queue, now),
        delayed: queue.delayed,
        overdue: queue.overdue,
        threshold_seconds: boundOf(threshold, severity) / 1000,
      },
    };
  },
);
