import { formatBytes } from '../../../lib/text/bytes.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, levelOf, minute, nowOf } from '../view.ts';

export const replicaLag: Evaluator = {
  rule: sampleRule({
    id: 'replica-lag',
    severity: 'critical',
    title: 'Replication lags',
    why: 'A failover now would lose what has not arrived.',
    for: minute,
    inhibitedBy: [
      'server-down',
      'server-busy',
      'server-loading',
      'credential-invalid',
      'clients-exhausted',
      'master-link',
    ],
  }),
  judge(view) {
    const { values } = nowOf(view);
    const lag = values['replication_lag_seconds'];
    if (lag === undefined) return [];
    const threshold = view.thresholds.replica_lag;
    const severity = levelOf(lag * 1000, threshold, { was: view.was('replica-lag', view.instance) });
    if (severity === undefined) return [];
    const bytes = values['replication_lag_bytes'];
    return [
      {
        severity,
        summary: `${values['master'] === 1 ? 'a replica' : 'the master'} was last heard of ${formatDuration(lag * 1000)} ago${bytes === undefined ? '' : `, ${formatBytes(bytes)} behind`}`,
        remedy: 'is the replica busy, or the network between them? See INFO replication on both',
        evidence: {
          lag_seconds: lag,
          behind_bytes: bytes ?? null,
          threshold_ms: boundOf(threshold, severity),
        },
      },
    ];
  },
};
