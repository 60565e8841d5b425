import { sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, within } from '../view.ts';

const word = (role: number | undefined): string => (role === 1 ? 'master' : 'replica');

export const roleChanged: Evaluator = {
  rule: sampleRule({
    id: 'role-changed',
    severity: 'warning',
    title: 'The server’s role has changed',
    why: 'A failover has happened: somebody or Sentinel made another server the master.',
  }),
  judge(view) {
    const roles = within(view, 10 * minute).flatMap(({ values }) => values['master'] ?? []);
    const [first, last] = [roles[0], roles.at(-1)];
    if (roles.every((role) => role === first)) return [];
    const now = word(last);
    return [
      {
        severity: 'warning',
        summary:
          first === last
            ? `this server changed its role within the last 10 minutes, and is a ${now} again`
            : `this server became a ${now} within the last 10 minutes; it was a ${word(first)} before`,
        remedy:
          'was it meant? See the log, and whether clients follow; backups go on from whoever url points at',
        evidence: { role: now },
      },
    ];
  },
};
