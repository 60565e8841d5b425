import { goLiveEvidence } from './go-live.ts';
import { lastRunOf, openOf } from './last-run.ts';
import { logReview } from './log-review.ts';
import { capacityReview, memoryTrend, performanceReview, slowlogReview } from './trends.ts';
import type { Evidence } from './source.ts';
import { versionReview } from './version-review.ts';

/** By task: what the agent looks at. A task that is not here is a person's. */
export const evidence: Readonly<Record<string, Evidence>> = {
  'memory-trend': memoryTrend,
  'slowlog-review': slowlogReview,
  'performance-review': performanceReview,
  'capacity-review': capacityReview,
  'backup-integrity': lastRunOf('verify'),
  'version-review': versionReview,
  'log-review': logReview,
  'certificate-review': openOf(
    ['TLS04', 'certificate-expiry'],
    'no certificate is near its end, and none is served that differs from the file',
  ),
  'security-audit': lastRunOf('audit'),
  'recovery-drill': lastRunOf('drill'),
  ...goLiveEvidence,
};
