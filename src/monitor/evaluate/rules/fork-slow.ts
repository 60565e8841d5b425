import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, levelOf, nowOf } from '../view.ts';

export const forkSlow: Evaluator = {
  rule: sampleRule({
    id: 'fork-slow',
    severity: 'critical',
    title: 'Forking holds the server up',
    why: 'Each snapshot and AOF rewrite begins with a fork, in which nobody is served.',
  }),
  judge(view) {
    const took = nowOf(view).values['fork_seconds'];
    if (took === undefined) return undefined;
    const threshold = view.thresholds.fork;
    const severity = levelOf(took * 1000, threshold, { was: view.was('fork-slow', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `the last fork held the server up for ${formatDuration(took * 1000)} (bound ${formatDuration(boundOf(threshold, severity))})`,
        remedy:
          'are transparent huge pages on (set them to madvise or never)? Else it is the size: save on a replica',
        evidence: { fork_seconds: took, threshold_ms: boundOf(threshold, severity) },
      },
    ];
  },
};
