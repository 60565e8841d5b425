import { counted } from '../../../lib/text/counted.ts';
import { age, evidenceOf, isSure, jobs, lookAt, queueRule } from '../queues/queue-rule.ts';
import { boundOf, levelOf } from '../view.ts';

/** A worker that holds its job may work on a long one: that is told later, and not as loudly. */
const patience = 3;

export const queueStuck = queueRule(
  {
    id: 'queue-stuck',
    severity: 'critical',
    title: 'Work is due in a queue, and nothing is finished',
    why: 'A worker can be connected and do nothing: it hangs, is stopped, or waits for something that does not come.',
    // What was finished is proof enough that it is over.
    keepFiring: 0,
    inhibitedBy: [
      'server-down',
      'server-busy',
      'server-loading',
      'credential-invalid',
      'clients-exhausted',
      'writes-refused',
      'memory-full',
    ],
  },
  ({ queue, now, view, was }) => {
    if (queue.idleSince === null || !isSure(queue)) return undefined;
    const threshold =
      queue.ref.settings?.stuck === undefined
        ? view.thresholds.queue_stuck
        : { critical: queue.ref.settings.stuck };
    const idle = now - queue.idleSince;
    const working = (queue.held ?? 0) > 0;
    const level = levelOf(working ? idle / patience : idle, threshold, { was });
    if (level === undefined) return undefined;
    const workers = queue.workers === null ? '' : `, ${counted(queue.workers, 'worker')} connected`;
    return {
      severity: working && level === 'critical' ? 'high' : level,
      summary: `${queue.label}: ${queue.due} due, 0 finished in ${age(now, queue.idleSince)}${workers}${working ? `; ${jobs(queue.held ?? 0)} held by a worker: a long one, or one that hangs` : ''}`,
      remedy:
        queue.workers === 0
          ? `start a worker for it; ${lookAt(queue)} shows what waits`
          : `see the workers’ logs and restart them: a stopped or hung one stays connected; what waits: ${lookAt(queue)}`,
      evidence: {
        ...evidenceOf(queue, now),
        idle_seconds: Math.round(idle / 1000),
        held: queue.held,
        abandoned: queue.abandoned,
        threshold_seconds: boundOf(threshold, level) / 1000,
      },
    };
  },
);
