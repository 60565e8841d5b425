import { boundOf, levelOf, minute } from '../view.ts';
import { percent } from '../evaluator.ts';
import { evidenceOf, grown, lookAt, queueRule } from '../queues/queue-rule.ts';
import { counted } from '../../../lib/text/counted.ts';

const span = 15 * minute;
/** Of fewer nothing is said. */
const fewest = 10;

export const queueFailures = queueRule(
  {
    id: 'queue-failures',
    severity: 'high',
    title: 'Many jobs of a queue fail',
    why: 'They have failed for good: each has been tried as often as it may be.',
  },
  (one) => {
    const { queue, now, view, was } = one;
    const failed = grown(one, span, 'failedTotal');
    const completed = grown(one, span, 'completedTotal');
    if (failed === undefined || completed === undefined || failed + completed < fewest) return undefined;
    const share = (100 * failed) / (failed + completed);
    const threshold = view.thresholds.queue_failed_percent;
    const severity = levelOf(share, threshold, { was });
    if (severity === undefined) return undefined;
    return {
      severity,
      summary: `${queue.label}: ${failed} of ${counted(failed + completed, 'job')} failed in the last 15 minutes (${percent(share)}, an estimate)`,
      remedy: `see why: ${lookAt(queue).replace(' show ', ' failed ')}`,
      evidence: {
        ...evidenceOf(queue, now),
        failed_15m: failed,
        completed_15m: completed,
        threshold_percent: boundOf(threshold, severity),
      },
    };
  },
);
