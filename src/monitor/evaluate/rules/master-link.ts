import { formatBytes } from '../../../lib/text/bytes.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { latestText, minute, nowOf } from '../view.ts';

export const masterLink: Evaluator = {
  rule: sampleRule({
    id: 'master-link',
    severity: 'critical',
    title: 'A replica has lost its master',
    why: 'It serves old data, and cannot take over without losing what it has not got.',
    for: minute,
    keepFiring: 0,
  }),
  judge(view) {
    const { values } = nowOf(view);
    if (values['master'] !== 0) return [];
    const up = values['master_link_up'];
    if (up === undefined) return undefined;
    if (up === 1) return [];
    const since = values['master_link_down_seconds'];
    const name = latestText(view, 'master_host');
    const host = name === undefined ? '' : ` ${name}`;
    if (values['master_sync_in_progress'] === 1) {
      const left = values['master_sync_left_bytes'] ?? 0;
      return [
        {
          severity: 'warning',
          summary: `this replica takes a whole copy from its master${host}${left > 0 ? `: ${formatBytes(left)} to go` : ''}`,
          remedy: 'wait; until then its data is old. Why it needed one is in its log and its master’s',
          evidence: { down_seconds: since ?? null, left_bytes: values['master_sync_left_bytes'] ?? null },
        },
      ];
    }
    return [
      {
        severity: 'critical',
        summary: `this replica has no link to its master${host}${since === undefined || since < 0 ? '' : ` for ${formatDuration(since * 1000)}`}`,
        remedy: 'is the master up, and masterauth right? See this server’s log; it connects again by itself',
        evidence: { down_seconds: since ?? null },
      },
    ];
  },
};
