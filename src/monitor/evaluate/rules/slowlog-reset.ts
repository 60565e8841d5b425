import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, within } from '../view.ts';

const span = 15 * minute;

export const slowlogReset: Evaluator = {
  rule: sampleRule({
    id: 'slowlog-reset',
    severity: 'info',
    title: 'Somebody empties the slow log',
    why: 'Another tool resets it, so that slow commands may be missed between two polls.',
  }),
  judge(view) {
    const readings = within(view, span).filter(({ slow }) => slow !== undefined);
    if (readings.length === 0) return undefined;
    const resets = readings.filter(({ slow }) => slow?.reset === true);
    const [first, last] = [resets[0], resets.at(-1)];
    if (resets.length < 2 || first === undefined || last === undefined) return [];
    const every = (last.elapsed - first.elapsed) / (resets.length - 1);
    return [
      {
        severity: 'info',
        summary: `somebody resets the slow log, about every ${formatDuration(every)}`,
        remedy: 'find the tool that sends SLOWLOG RESET (redis-agent clients), and stop it doing that',
        evidence: { resets: resets.length, every_seconds: Math.round(every / 1000) },
      },
    ];
  },
};
