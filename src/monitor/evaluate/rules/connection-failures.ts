import { verb } from '../../../lib/text/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, growth, levelOf, minute, othersGrowth } from '../view.ts';

export const connectionFailures: Evaluator = {
  rule: sampleRule({
    id: 'connection-failures',
    severity: 'critical',
    title: 'Connections fail',
    why: 'Clients are refused for want of a place, or because their password is wrong.',
    inhibitedBy: ['server-down', 'server-loading', 'clients-exhausted'],
  }),
  judge(view) {
    const rejected = growth(view, 'connections_rejected_total', minute);
    const wrong = othersGrowth(view, 'auth_failures_total', 'own_auth_failures_total', minute);
    // Where kinds of errors are not told apart, what is left is said in the summary.
    if (rejected === undefined) return undefined;
    // Half a minute is the least that a rate a minute can be told from.
    if (rejected.ms < minute / 2) return undefined;
    const total = rejected.amount + (wrong?.amount ?? 0);
    const rate = (total * minute) / Math.max(rejected.ms, minute);
    const threshold = view.thresholds.failed_connections;
    const severity = levelOf(rate, threshold, { was: view.was('connection-failures', view.instance) });
    if (severity === undefined) return [];
    const perMinute = Math.round(rate * 10) / 10;
    const parts = [
      rejected.amount > 0 ? `${rejected.amount} refused at maxclients` : '',
      (wrong?.amount ?? 0) > 0 ? `${wrong?.amount} with a wrong user or password` : '',
      wrong === undefined ? 'wrong passwords are not counted apart by this server' : '',
    ].filter(Boolean);
    return [
      {
        severity,
        summary: `${perMinute} ${verb(perMinute, 'connection a minute fails', 'connections a minute fail')} (${parts.join(', ')})`,
        remedy: 'see who connects: redis-agent clients; wrong passwords are in ACL LOG with their address',
        evidence: {
          rejected: rejected.amount,
          wrong_password: wrong?.amount ?? null,
          per_minute: perMinute,
          threshold: boundOf(threshold, severity),
        },
      },
    ];
  },
};
