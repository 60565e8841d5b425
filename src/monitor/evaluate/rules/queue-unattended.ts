import { minute } from '../view.ts';
import { age, evidenceOf, jobs, lookAt, queueRule } from '../queues/queue-rule.ts';

export const queueUnattended = queueRule(
  {
    id: 'queue-unattended',
    severity: 'critical',
    title: 'Jobs wait, and no worker is connected',
    why: 'Nobody will work on them until one is started; the application goes on adding to them meanwhile.',
    for: 2 * minute,
  },
  ({ queue, now }) => {
    const { workers, due, paused, held, finishedAt, dueSince } = queue;
    if (due === 0 || paused || (held ?? 0) > 0 || queue.ref.kind === 'stream') return undefined;
    // Their connections may have other names: whoever finishes jobs is there.
    if (finishedAt !== null && now - finishedAt < 2 * minute) return undefined;
    const named = queue.ref.kind === 'bull' || queue.ref.kind === 'bullmq';
    if (workers === null) return named ? 'untold' : undefined;
    if (workers > 0) return undefined;
    const since = dueSince === null ? '' : `, the oldest for ${age(now, dueSince)}`;
    return {
      severity: 'critical',
      summary: `${queue.label}: ${jobs(due)} due${since}, and no worker is connected`,
      remedy: `start a worker for it; ${lookAt(queue)} shows what waits`,
      evidence: evidenceOf(queue, now),
    };
  },
);
