import { parseInfo } from '../../formats/info/parse-info.ts';
import type { Collector } from './parts/collector.ts';
import { finite, textOf } from './parts/numbers.ts';

const slots = 16_384;

/** What this node knows of its cluster. */
export const clusterCollector: Collector = {
  name: 'cluster',
  rights: ['+cluster|info'],
  every: 0,
  frugal: 300_000,
  applies: ({ mode }) => mode === 'cluster',
  commands: () => [['CLUSTER', 'INFO']],
  read([reply], { values }) {
    const info = parseInfo(textOf(reply));
    const state = info.get('cluster_state');
    if (state === undefined) return;
    values['cluster_ok'] = state === 'ok' ? 1 : 0;
    const served = finite(info.get('cluster_slots_ok'));
    if (served !== undefined) values['cluster_slots_unserved'] = Math.max(0, slots - served);
    const nodes = finite(info.get('cluster_known_nodes'));
    if (nodes !== undefined) values['cluster_nodes'] = nodes;
  },
};
