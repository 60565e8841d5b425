import { counted, verb } from '../../../lib/text/counted.ts';
import { age, evidenceOf, queueRule } from '../queues/queue-rule.ts';

/** Jobs are removed when others end, and not by a clock. */
const slack = 1.25;

export const queueRetention = queueRule(
  {
    id: 'queue-retention',
    severity: 'warning',
    title: 'A queue keeps ended jobs for longer than planned',
    why: 'What is kept fills the memory, and may hold personal data that should be gone.',
  },
  ({ queue, now }) => {
    const { keep } = queue.ref.settings ?? {};
    if (keep === undefined) return undefined;
    const { oldestCompleted, oldestFailed, completed } = queue;
    const problems = [
      isLate(oldestCompleted, keep.completed, now)
        ? `the oldest completed job is ${age(now, oldestCompleted ?? now)} old`
        : undefined,
      isLate(oldestFailed, keep.failed, now)
        ? `the oldest failed job is ${age(now, oldestFailed ?? now)} old`
        : undefined,
      keep.last !== undefined && completed > keep.last * slack
        ? `${counted(completed, 'completed job')} ${verb(completed, 'is', 'are')} kept, and not ${keep.last}`
        : undefined,
    ].filter((problem) => problem !== undefined);
    if (problems.length === 0) return undefined;
    return {
      severity: 'warning',
      summary: `${queue.label}: ${problems.join('; ')}`,
      remedy:
        'set removeOnComplete and removeOnFail ({ age, count }) where jobs are added; what is there already: queue.clean(…)',
      evidence: { ...evidenceOf(queue, now), completed, failed: queue.failed },
    };
  },
);

function isLate(oldest: number | null, keep: number | undefined, now: number): boolean {
  return oldest !== null && keep !== undefined && now - oldest > keep * slack;
}
