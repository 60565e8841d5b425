import { counted, verb } from '../../../lib/text/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, isOff, levelOf, minute, nowOf } from '../view.ts';

export const clientsBlocked: Evaluator = {
  rule: sampleRule({
    id: 'clients-blocked',
    severity: 'warning',
    title: 'Many clients wait in a blocking command',
    why: 'Workers of a queue do that all the time; elsewhere it means that something is not produced any more.',
    for: 5 * minute,
  }),
  judge(view) {
    const blocked = nowOf(view).values['clients_blocked'];
    const threshold = view.thresholds.clients_blocked;
    if (blocked === undefined) return undefined;
    if (isOff(threshold)) return [];
    const severity = levelOf(blocked, threshold, { was: view.was('clients-blocked', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `${counted(blocked, 'client')} ${verb(blocked, 'waits', 'wait')} in a blocking command (bound ${boundOf(threshold, severity)})`,
        remedy: 'see who they are: redis-agent clients; for a queue set role: queue of this instance',
        evidence: { clients_blocked: blocked, threshold: boundOf(threshold, severity) },
      },
    ];
  },
};
