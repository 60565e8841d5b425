import { formatBytes } from '../../../lib/text/bytes.ts';
import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, latestText, levelOf, minute, nowOf } from '../view.ts';

const limits: Record<string, string> = {
  maxmemory: 'maxmemory',
  container: 'the container limit',
  host: 'the host’s memory',
};

export const memoryHigh: Evaluator = {
  rule: sampleRule({
    id: 'memory-high',
    severity: 'critical',
    title: 'Memory is nearly full',
    why: 'At the limit the server evicts keys or refuses writes; at the host’s or container’s it is killed.',
    for: 2 * minute,
  }),
  judge(view) {
    const { values } = nowOf(view);
    const used = values['memory_used_bytes'];
    const limit = values['memory_limit_bytes'];
    if (used === undefined || limit === undefined || !(limit > 0)) return undefined;
    const source = latestText(view, 'limit_source') ?? 'host';
    // A cache that is full and lets keys go does what it is for.
    const policy = latestText(view, 'maxmemory_policy');
    if (view.role === 'cache' && source === 'maxmemory' && evicts(policy, values['keys_expiring'])) return [];
    const share = (100 * used) / limit;
    const threshold = view.thresholds.memory_percent;
    const severity = levelOf(share, threshold, { was: view.was('memory-high', view.instance) });
    if (severity === undefined) return [];
    const bound = boundOf(threshold, severity);
    return [
      {
        severity,
        summary: `memory is at ${percent(share)} of ${limits[source] ?? source} (${formatBytes(used)} of ${formatBytes(limit)})`,
        remedy:
          source === 'maxmemory'
            ? 'see what grows: redis-agent memory; then let keys expire, or raise maxmemory (CONFIG SET, and the file)'
            : 'see what grows: redis-agent memory; set maxmemory below this limit, or the kernel ends the server there',
        evidence: {
          used_bytes: used,
          limit_bytes: limit,
          limit_source: source,
          share_percent: Math.round(share * 10) / 10,
          threshold_percent: bound,
        },
      },
    ];
  },
};

/** A policy of what expires finds nothing where no key does, and then writes are refused. */
function evicts(policy: string | undefined, expiring: number | undefined): boolean {
  if (policy === undefined || policy === 'noeviction') return false;
  return !policy.startsWith('volatile-') || expiring !== 0;
}
