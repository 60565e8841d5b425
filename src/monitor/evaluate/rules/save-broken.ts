import { counted, verb } from '../../../lib/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const saveBroken: Evaluator = {
  rule: sampleRule({
    id: 'save-broken',
    severity: 'high',
    title: 'The last snapshot failed',
    why: 'What changed since the one before is in memory only, and writes may be refused (MISCONF).',
    keepFiring: 0,
    inhibitedBy: ['server-down', 'server-busy', 'server-loading', 'writes-refused'],
  }),
  judge(view) {
    const { values } = nowOf(view);
    const ok = values['save_last_ok'];
    if (ok === undefined) return undefined;
    if (ok === 1) return [];
    const changes = values['changes_since_save'];
    return [
      {
        severity: 'high',
        summary: `the server’s last snapshot failed; ${changes === undefined ? 'what changed since is' : `${counted(changes, 'change')} since ${verb(changes, 'is', 'are')}`} in memory only`,
        remedy: 'see its log for why (disk full, rights of its dir, memory for the fork), then: BGSAVE',
        evidence: { changes: changes ?? null },
      },
    ];
  },
};
