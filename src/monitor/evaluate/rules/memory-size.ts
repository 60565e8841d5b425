import { formatBytes } from '../../../lib/text/bytes.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, levelOf, minute, nowOf } from '../view.ts';

export const memorySize: Evaluator = {
  rule: sampleRule({
    id: 'memory-size',
    severity: 'critical',
    title: 'More memory is used than expected',
    why: 'A bound that somebody set for this instance; off by default.',
    for: 2 * minute,
  }),
  judge(view) {
    const used = nowOf(view).values['memory_used_bytes'];
    if (used === undefined) return undefined;
    const threshold = view.thresholds.memory_bytes;
    const severity = levelOf(used, threshold, { was: view.was('memory-size', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `${formatBytes(used)} of memory is used (bound ${formatBytes(boundOf(threshold, severity))})`,
        remedy: 'see what grows: redis-agent memory; where it is meant, raise memory_bytes of its thresholds',
        evidence: { used_bytes: used, threshold_bytes: boundOf(threshold, severity) },
      },
    ];
  },
};
