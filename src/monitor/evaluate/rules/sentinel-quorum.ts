import { sampleRule, type Evaluator } from '../evaluator.ts';
import { latest, latestText, minute, nowOf } from '../view.ts';

export const sentinelQuorum: Evaluator = {
  rule: sampleRule({
    id: 'sentinel-quorum',
    severity: 'high',
    title: 'Sentinels could not agree on a failover',
    why: 'Too few of them can be reached: if the master fails now, nobody takes over.',
    for: minute,
  }),
  judge(view) {
    if (nowOf(view).texts['mode'] !== 'sentinel') return [];
    const ok = latest(view, 'sentinel_quorum_ok');
    if (ok === undefined) return undefined;
    if (ok === 1) return [];
    const names = latestText(view, 'sentinel_weak') ?? '';
    return [
      {
        severity: 'high',
        summary: `the Sentinels could not agree on a failover of ${names === '' ? 'some master' : names}: too few can be reached`,
        remedy: 'are the other Sentinels up and reachable? SENTINEL CKQUORUM NAME tells how many are usable',
        evidence: { masters: names },
      },
    ];
  },
};
