import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const writesRefused: Evaluator = {
  rule: sampleRule({
    id: 'writes-refused',
    severity: 'critical',
    title: 'The server refuses writes',
    why: 'Its last save failed, and stop-writes-on-bgsave-error protects what could not be saved (MISCONF).',
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { up } = nowOf(view);
    if (up === 'misconf')
      return [
        {
          severity: 'critical',
          summary: 'the server refuses every write, because its last snapshot failed (MISCONF)',
          remedy:
            'make room or mend the rights of its dir, then BGSAVE; do not restart it: a stop would fail to save too',
          evidence: { class: up },
        },
      ];
    return up === 'up' ? [] : undefined;
  },
};
