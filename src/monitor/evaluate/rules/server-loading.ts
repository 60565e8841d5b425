import { sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, nowOf } from '../view.ts';

export const serverLoading: Evaluator = {
  rule: sampleRule({
    id: 'server-loading',
    severity: 'warning',
    title: 'The server is still loading its data',
    why: 'It has just started, or takes a copy from its master, and refuses commands until all data is in memory.',
    for: minute,
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { up, detail, values, texts } = nowOf(view);
    if (up !== 'loading') return [];
    const progress = detail ?? 'how far it is, it does not say';
    const isCopy = texts['loading_from'] === 'master';
    return [
      {
        severity: 'warning',
        summary: isCopy
          ? `this replica loads the copy that its master sent: ${progress}`
          : `the server has started and loads its data: ${progress}`,
        remedy: isCopy
          ? 'wait; why it needed a whole copy is in its log and its master’s'
          : 'wait; systemd’s TimeoutStartSec must be longer than this takes',
        evidence: {
          loaded_percent:
            values['loading_ratio'] === undefined ? null : Math.round(values['loading_ratio'] * 100),
          eta_seconds: values['loading_eta_seconds'] ?? null,
        },
      },
    ];
  },
};
