import type { Collector } from './parts/collector.ts';
import { listOf, shortened, textOf } from './parts/numbers.ts';

const most = 50;

/** A Sentinel's masters, and whether it could agree with others on a failover of each. */
export const sentinelCollector: Collector = {
  name: 'sentinel',
  rights: ['+sentinel|masters', '+sentinel|ckquorum'],
  every: 60_000,
  frugal: 300_000,
  answers: /NOQUORUM|No such master/,
  applies: ({ mode }) => mode === 'sentinel',
  commands: ({ masters }) => [
    ['SENTINEL', 'MASTERS'],
    ...masters.map((name) => ['SENTINEL', 'CKQUORUM', name]),
  ],
  read([list, ...verdicts], { values, texts, known }, { masters }) {
    known.masters = listOf(list)
      .slice(0, most)
      .map((master) => nameOf(listOf(master).map(textOf)))
      .filter((name) => name !== '');
    if (verdicts.length === 0) return;
    const weak = masters.filter((_, index) => /NOQUORUM/.test(textOf(verdicts[index])));
    values['sentinel_quorum_ok'] = weak.length === 0 ? 1 : 0;
    texts['sentinel_weak'] = shortened(weak.join(', '), 200);
  },
};

function nameOf(fields: readonly string[]): string {
  const at = fields.indexOf('name');
  return at < 0 || at % 2 === 1 ? '' : (fields[at + 1] ?? '');
}
