import { verb } from '../../../lib/text/counted.ts';
import { boundOf, levelOf, minute } from '../view.ts';
import { drains, evidenceOf, jobs, lookAt, queueRule, steps } from '../queues/queue-rule.ts';

export const queueDepth = queueRule(
  {
    id: 'queue-depth',
    severity: 'critical',
    title: 'More jobs wait in a queue than planned',
    why: 'Off by default, since how many are many is known to the application alone; age tells more.',
    for: minute,
  },
  (one) => {
    const { queue, now, view, was } = one;
    const waiting = queue.waiting + queue.prioritized;
    const threshold = steps(queue.ref.settings?.depth, view.thresholds.queue_depth);
    const level = levelOf(waiting, threshold, { was });
    if (level === undefined) return undefined;
    // A bulk that is worked off is long, and nothing to wake anybody for.
    const severity = drains(one) && level !== 'info' ? 'warning' : level;
    return {
      severity,
      summary: `${queue.label}: ${jobs(waiting)} ${verb(waiting, 'waits', 'wait')} (bound ${boundOf(threshold, level)})`,
      remedy: `more workers, or fewer jobs; ${lookAt(queue)}`,
      evidence: { ...evidenceOf(queue, now), threshold: boundOf(threshold, level) },
    };
  },
);
