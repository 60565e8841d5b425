import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const credentialInvalid: Evaluator = {
  rule: sampleRule({
    id: 'credential-invalid',
    severity: 'critical',
    title: 'The server refuses the agent’s own credential',
    why: 'The agent is blind, and cannot take backups: its password was changed, or its user was removed.',
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { up, detail } = nowOf(view);
    if (up === 'up' || up === 'misconf') return [];
    if (up !== 'noauth') return undefined;
    return [
      {
        severity: 'critical',
        summary: `the agent’s own credential is refused${detail === undefined ? '' : `: ${detail}`}`,
        remedy:
          'put the new password where password: of this instance points, then: systemctl reload redis-agent',
        evidence: { class: up },
      },
    ];
  },
};
