import { counted, verb } from '../../../lib/text/counted.ts';
import { boundOf, levelOf, minute } from '../view.ts';
import { evidenceOf, grown, lookAt, queueRule } from '../queues/queue-rule.ts';

const span = 15 * minute;

export const queueStalled = queueRule(
  {
    id: 'queue-stalled',
    severity: 'warning',
    title: 'Jobs lose their worker',
    why: 'A worker that crashes, or is too busy to renew its locks, leaves jobs that are then begun twice.',
  },
  (one) => {
    const { queue, now, view, was } = one;
    const stalled = grown(one, span, 'stalledTotal');
    if (stalled === undefined) return undefined;
    const threshold = view.thresholds.queue_stalled;
    const severity = levelOf(stalled, threshold, { was });
    if (severity === undefined) return undefined;
    return {
      severity,
      summary: `${queue.label}: ${counted(stalled, 'job')} lost ${verb(stalled, 'its', 'their')} worker in the last 15 minutes (an estimate)`,
      remedy: `do workers crash (out of memory?), or block their event loop for longer than lockDuration? ${lookAt(queue)}`,
      evidence: { ...evidenceOf(queue, now), stalled_15m: stalled, threshold: boundOf(threshold, severity) },
    };
  },
);
