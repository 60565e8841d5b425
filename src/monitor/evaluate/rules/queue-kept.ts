import { verb } from '../../../lib/text/counted.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { queueRule, evidenceOf } from '../queues/queue-rule.ts';
import { boundOf, levelOf, nowOf } from '../view.ts';

/** Of less than this share of what the server uses nothing is said. */
const share = 0.05;

export const queueKept = queueRule(
  {
    id: 'queue-kept',
    severity: 'warning',
    title: 'Ended jobs of a queue hold much memory',
    why: 'Unless they are removed, every job that ever ended stays; under noeviction the queue stops when memory is full.',
  },
  (one) => {
    const { queue, now, view, was } = one;
    const { keptBytes } = queue;
    if (keptBytes === null) return undefined;
    const used = nowOf(view).values['memory_used_bytes'];
    if (used !== undefined && keptBytes < share * used) return undefined;
    const threshold = view.thresholds.queue_kept_bytes;
    const severity = levelOf(keptBytes, threshold, { was });
    if (severity === undefined) return undefined;
    const kept = [
      queue.completed > 0 ? `${queue.completed} completed` : undefined,
      queue.failed > 0 ? `${queue.failed} failed` : undefined,
    ].filter((each) => each !== undefined);
    return {
      severity,
      summary: `${queue.label}: ${kept.join(' and ')} ${verb(queue.completed + queue.failed, 'job holds', 'jobs hold')} about ${formatBytes(keptBytes)}`,
      remedy:
        'where jobs are added, set removeOnComplete and removeOnFail, such as { age: 86400, count: 1000 }; what is there already: queue.clean(…)',
      evidence: {
        ...evidenceOf(queue, now),
        completed: queue.completed,
        failed: queue.failed,
        kept_bytes: keptBytes,
        threshold_bytes: boundOf(threshold, severity),
      },
    };
  },
);
