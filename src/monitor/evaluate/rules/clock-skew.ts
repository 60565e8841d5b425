import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, latest, levelOf, minute } from '../view.ts';

export const clockSkew: Evaluator = {
  rule: sampleRule({
    id: 'clock-skew',
    severity: 'critical',
    title: 'The server’s clock differs from the agent’s',
    why: 'Times to live, delayed jobs and the ages of backups are wrong by as much.',
    for: 5 * minute,
  }),
  judge(view) {
    const skew = latest(view, 'clock_skew_seconds');
    if (skew === undefined) return undefined;
    const threshold = view.thresholds.clock_skew;
    const severity = levelOf(Math.abs(skew) * 1000, threshold, {
      was: view.was('clock-skew', view.instance),
    });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `the server’s clock is ${formatDuration(Math.abs(skew) * 1000)} ${skew > 0 ? 'ahead of' : 'behind'} the agent’s`,
        remedy: 'which one is wrong? timedatectl on both hosts; mend its time synchronisation',
        evidence: { skew_seconds: Math.round(skew * 10) / 10, threshold_ms: boundOf(threshold, severity) },
      },
    ];
  },
};
