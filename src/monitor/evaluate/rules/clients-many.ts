import { counted, verb } from '../../../lib/text/counted.ts';
import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, latest, levelOf, minute, nowOf } from '../view.ts';

export const clientsMany: Evaluator = {
  rule: sampleRule({
    id: 'clients-many',
    severity: 'critical',
    title: 'Many clients are connected',
    why: 'Five to ten is typical; more is often a leak of connections, which ends at maxclients.',
    for: 5 * minute,
  }),
  judge(view) {
    const clients = nowOf(view).values['clients_connected'];
    if (clients === undefined) return undefined;
    const was = view.was('clients-many', view.instance);
    const most = latest(view, 'clients_max');
    // The agent's own connection takes a place too.
    const share = most === undefined ? undefined : (100 * (clients + 1)) / most;
    const { clients: count, clients_percent: part } = view.thresholds;
    const byShare = share === undefined ? undefined : levelOf(share, part, { was });
    const severity = byShare ?? levelOf(clients, count, { was });
    if (severity === undefined) return [];
    const bound = byShare === undefined ? boundOf(count, severity) : `${boundOf(part, severity)} %`;
    return [
      {
        severity,
        summary: `${counted(clients, 'client')} ${verb(clients, 'is', 'are')} connected${share === undefined ? '' : `, ${percent(share)} of maxclients`} (bound ${bound})`,
        remedy:
          'see who they are: redis-agent clients; look for a pool without a bound, or connections that nobody closes',
        evidence: { clients, clients_max: most ?? null, threshold: bound },
      },
    ];
  },
};
