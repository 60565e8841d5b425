import { counted, verb } from '../../../lib/text/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const clusterState: Evaluator = {
  rule: sampleRule({
    id: 'cluster-state',
    severity: 'critical',
    title: 'The cluster does not serve all slots',
    why: 'Keys of those slots can neither be read nor written; by default the whole cluster stops.',
    keepFiring: 0,
  }),
  judge(view) {
    const { values, texts } = nowOf(view);
    if (texts['mode'] !== 'cluster') return [];
    const ok = values['cluster_ok'];
    const unserved = values['cluster_slots_unserved'];
    if (ok === undefined) return undefined;
    if (ok === 1 && (unserved ?? 0) === 0) return [];
    return [
      {
        severity: 'critical',
        summary: `the cluster ${ok === 1 ? 'is up' : 'is down'}, as this node sees it${unserved === undefined ? '' : `; ${counted(unserved, 'slot')} ${verb(unserved, 'is', 'are')} not served`}`,
        remedy: 'see which node is gone: CLUSTER NODES, or redis-cli --cluster check HOST:PORT',
        evidence: { cluster_ok: ok === 1, slots_unserved: unserved ?? null },
      },
    ];
  },
};
