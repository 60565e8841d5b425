import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const aofBroken: Evaluator = {
  rule: sampleRule({
    id: 'aof-broken',
    severity: 'critical',
    title: 'The append only file cannot be written',
    why: 'What is written now is lost with a crash; and without rewrites the file grows for ever.',
    keepFiring: 0,
  }),
  judge(view) {
    const { values } = nowOf(view);
    if (values['aof_enabled'] === undefined) return undefined;
    if (values['aof_enabled'] === 0) return [];
    if (values['aof_last_write_ok'] === 0)
      return [
        {
          severity: 'critical',
          summary: 'the last write to the append only file failed: writes are refused',
          remedy: 'make room on its disk or mend its rights; the server goes on by itself then',
          evidence: { last_write: 'failed' },
        },
      ];
    if (values['aof_last_rewrite_ok'] !== 0) return [];
    return [
      {
        severity: 'high',
        summary: 'the last rewrite of the append only file failed: it grows until one succeeds',
        remedy: 'see the server’s log for why (memory for the fork, disk), then: BGREWRITEAOF',
        evidence: { last_rewrite: 'failed' },
      },
    ];
  },
};
