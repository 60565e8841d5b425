import { sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, nowOf, within } from '../view.ts';

export const replicasLost: Evaluator = {
  rule: sampleRule({
    id: 'replicas-lost',
    severity: 'high',
    title: 'A master has lost its replicas',
    why: 'There is no copy to fail over to, and with min-replicas-to-write it refuses writes.',
    for: minute,
    keepFiring: 0,
  }),
  judge(view) {
    const { values } = nowOf(view);
    const now = values['replicas_connected'];
    if (values['master'] !== 1 || now === undefined) return [];
    const before = Math.max(
      0,
      ...within(view, 15 * minute)
        .filter((sample) => sample.values['master'] === 1)
        // Whoever only takes a copy (redis-cli --rdb) is connected, and no replica.
        .map(({ values: then }) => then['replicas_online'] ?? then['replicas_connected'] ?? 0),
    );
    const fires = view.was('replicas-lost', view.instance) !== undefined;
    // What fires goes on until one is back, also when the window has forgotten that there was any.
    if (now > 0 || (before === 0 && !fires)) return [];
    return [
      {
        severity: 'high',
        summary: `this master had ${before === 0 ? 'replicas' : `${before} replica${before === 1 ? '' : 's'}`} and has none now`,
        remedy: 'are they up, and may they connect? See their logs, and INFO replication',
        evidence: { before, now },
      },
    ];
  },
};
