import { formatBytes } from '../../../lib/text/bytes.ts';
import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, latest, levelOf, minute } from '../view.ts';

export const hostMemory: Evaluator = {
  rule: sampleRule({
    id: 'host-memory',
    severity: 'critical',
    title: 'The host is short of memory',
    why: 'A fork for a snapshot fails, or the kernel ends a process, and Redis is often the largest one.',
    for: 2 * minute,
  }),
  judge(view) {
    const available = latest(view, 'host_memory_available_bytes');
    const total = latest(view, 'host_memory_total_bytes');
    if (available === undefined || total === undefined || !(total > 0)) return [];
    const share = (100 * available) / total;
    const threshold = view.thresholds.host_memory_percent;
    const severity = levelOf(share, threshold, { was: view.was('host-memory', view.instance), below: true });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `${formatBytes(available)} of the host’s memory is left (${percent(share)})`,
        remedy: 'see who takes it: ps aux --sort=-rss | head; set maxmemory so that a fork fits beside it',
        evidence: {
          available_bytes: available,
          total_bytes: total,
          threshold_percent: boundOf(threshold, severity),
        },
      },
    ];
  },
};
