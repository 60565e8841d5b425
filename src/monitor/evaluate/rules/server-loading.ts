import { sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, nowOf } from '../view.ts';

export const serverLoading: Evaluator = {
  rule: sampleRule({
    id: 'server-loading',
    severity: 'warning',
    title: 'The server is still loading its data',
    why: 'It has just started, and refuses commands until all data is in memory.',
    for: minute,
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { up, detail, values } = nowOf(view);
    if (up !== 'loading') return [];
    return [
      {
        severity: 'warning',
        summary: `the server has started and loads its data: ${detail ?? 'how far it is, it does not say'}`,
        remedy: 'wait; systemd’s TimeoutStartSec must be longer than this takes',
        evidence: {
          loaded_percent:
            values['loading_ratio'] === undefined ? null : Math.round(values['loading_ratio'] * 100),
          eta_seconds: values['loading_eta_seconds'] ?? null,
        },
      },
    ];
  },
};
