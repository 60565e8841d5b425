import { formatBytes } from '../../../lib/text/bytes.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { latest, minute } from '../view.ts';

/** As MEMORY DOCTOR judges: ratios mean nothing on a small server. */
const smallest = 5 * 2 ** 20;
const wasted = 10 * 2 ** 20;

export const memoryFragmented: Evaluator = {
  rule: sampleRule({
    id: 'memory-fragmented',
    severity: 'warning',
    title: 'Memory is fragmented',
    why: 'The process holds much more memory than its data needs.',
    for: 30 * minute,
  }),
  judge(view) {
    const allocated = latest(view, 'memory_allocated_bytes') ?? latest(view, 'memory_used_bytes');
    const ratio = latest(view, 'memory_fragmentation_ratio');
    const bytes = latest(view, 'memory_fragmentation_bytes');
    const inner = latest(view, 'memory_allocator_fragmentation_ratio');
    const innerBytes = latest(view, 'memory_allocator_fragmentation_bytes');
    if (allocated === undefined || ratio === undefined || bytes === undefined) return undefined;
    if (allocated < smallest) return [];
    const outside = ratio > 1.4 && bytes > wasted;
    const inside = inner !== undefined && innerBytes !== undefined && inner > 1.1 && innerBytes > wasted;
    if (!outside && !inside) return [];
    // Half of what was free anyway: rss of a server whose peak is over goes back slowly.
    const most = inside ? innerBytes : bytes;
    return [
      {
        severity: 'warning',
        summary: `${formatBytes(most)} of memory is lost to fragmentation (ratio ${ratio}${inner === undefined ? '' : `, ${inner} within the allocator`})`,
        remedy: inside
          ? 'CONFIG SET activedefrag yes, where this build can; else a restart, or a failover to a replica'
          : 'MEMORY PURGE gives back what is free; after a peak it shrinks by itself',
        evidence: {
          ratio,
          lost_bytes: bytes,
          allocator_ratio: inner ?? null,
          allocator_lost_bytes: innerBytes ?? null,
        },
      },
    ];
  },
};
