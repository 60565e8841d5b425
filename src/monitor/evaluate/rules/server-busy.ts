import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const serverBusy: Evaluator = {
  rule: sampleRule({
    id: 'server-busy',
    severity: 'high',
    title: 'A script or function blocks the server',
    why: 'Everybody else gets BUSY until it ends.',
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    if (nowOf(view).up !== 'busy') return [];
    return [
      {
        severity: 'high',
        summary: 'a script or function has run for so long that the server answers nobody else (BUSY)',
        remedy: 'wait, or end it: SCRIPT KILL, or FUNCTION KILL; one that has written can only be waited for',
        evidence: { class: 'busy' },
      },
    ];
  },
};
