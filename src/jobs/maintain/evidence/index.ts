import { benchmark } from './benchmark.ts';
import { goLiveEvidence } from './go-live.ts';
import { lastRunOf, openOf } from './last-run.ts';
import { logReview } from './log-review.ts';
import { bigMovers } from './movers.ts';
import { capacityReview, memoryTrend, performanceReview, slowlogReview } from './trends.ts';
import type { EvidenceLine } from '../../../domain/task.ts';
import type { Evidence } from './source.ts';
import { versionReview } from './version-review.ts';

/** By task: what the agent looks at. A task that is not here is a person's. */
export const evidence: Readonly<Record<string, Evidence>> = {
  'memory-trend': memoryTrend,
  'slowlog-review': slowlogReview,
  'performance-review': all(performanceReview, bigMovers, benchmark),
  'capacity-review': capacityReview,
  'backup-integrity': lastRunOf('verify'),
  'version-review': versionReview,
  'log-review': logReview,
  'certificate-review': openOf(
    ['TLS04', 'TLS06'],
    'no certificate is near its end, and none is served that differs from the file',
  ),
  'security-audit': lastRunOf('audit'),
  'recovery-drill': lastRunOf('drill'),
  ...goLiveEvidence,
};

function all(...looks: readonly Evidence[]): Evidence {
  return async (source) => {
    const lines: EvidenceLine[] = [];
    for (const look of looks) lines.push(...(await look(source)));
    return lines;
  };
}
