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
    const host = latestText(view, 'master_host');
    return [
      {
        severity: 'critical',
        summary: `this replica has no link to its master${host === undefined ? '' : ` ${host}`}${since === undefined || since < 0 ? '' : ` for ${formatDuration(since * 1000)}`}`,
        remedy: 'is the master up, and masterauth right? See this server’s log; it connects again by itself',
        evidence: { down_seconds: since ?? null },
      },
    ];
  },
};
