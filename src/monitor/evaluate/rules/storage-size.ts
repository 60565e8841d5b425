import { formatBytes } from '../../../lib/text/bytes.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, isOff, levelOf, minute, nowOf } from '../view.ts';

export const storageSize: Evaluator = {
  rule: sampleRule({
    id: 'storage-size',
    severity: 'critical',
    title: 'The append only file is larger than expected',
    why: 'A bound that somebody set for this instance; off by default.',
    for: 5 * minute,
  }),
  judge(view) {
    const threshold = view.thresholds.storage_bytes;
    const size = nowOf(view).values['aof_size_bytes'];
    if (isOff(threshold) || size === undefined) return [];
    const severity = levelOf(size, threshold, { was: view.was('storage-size', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `the append only file has grown to ${formatBytes(size)} (bound ${formatBytes(boundOf(threshold, severity))})`,
        remedy: 'rewrite it (BGREWRITEAOF) when there is memory for it; see auto-aof-rewrite-percentage',
        evidence: { size_bytes: size, threshold_bytes: boundOf(threshold, severity) },
      },
    ];
  },
};
