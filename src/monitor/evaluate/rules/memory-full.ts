import { counted } from '../../../lib/text/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, growth, isOff, levelOf, minute } from '../view.ts';

const span = 2 * minute;

export const memoryFull: Evaluator = {
  rule: sampleRule({
    id: 'memory-full',
    severity: 'critical',
    title: 'Memory is full: keys are evicted or writes refused',
    why: 'Under noeviction nothing is ever evicted and writes fail instead, so both are counted.',
    inhibitedBy: ['server-down', 'server-loading'],
  }),
  judge(view) {
    const evicted = growth(view, 'evicted_keys_total', span);
    const refused = growth(view, 'oom_errors_total', span);
    if (evicted === undefined) return undefined;
    const threshold = view.thresholds.evictions;
    const was = view.was('memory-full', view.instance);
    const byEviction = isOff(threshold) ? undefined : levelOf(evicted.amount, threshold, { was });
    const oom = refused?.amount ?? 0;
    const severity = oom > 0 ? 'critical' : byEviction;
    if (severity === undefined) return [];
    const parts = [
      oom > 0 ? `${counted(oom, 'write')} refused (OOM)` : '',
      evicted.amount > 0 ? `${counted(evicted.amount, 'key')} evicted` : '',
    ].filter(Boolean);
    return [
      {
        severity,
        summary: `memory is full: ${parts.join(' and ')} within ${Math.round(evicted.ms / 1000)} s`,
        remedy:
          'see what grows: redis-agent memory; raise maxmemory if the host has room, or remove what is not needed (finished jobs first)',
        evidence: {
          keys_evicted: evicted.amount,
          writes_refused: oom,
          threshold: boundOf(threshold, severity),
        },
      },
    ];
  },
};
