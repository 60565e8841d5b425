import { sampleRule, type Evaluator } from '../evaluator.ts';
import { growth, latest, minute, nowOf } from '../view.ts';

export const clientsExhausted: Evaluator = {
  rule: sampleRule({
    id: 'clients-exhausted',
    severity: 'critical',
    title: 'No client can connect any more',
    why: 'The bound of maxclients is reached, and every new connection is refused.',
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { up, values } = nowOf(view);
    if (up !== 'maxclients' && up !== 'up' && up !== 'misconf') return undefined;
    const most = latest(view, 'clients_max');
    const clients = values['clients_connected'];
    const rejected = growth(view, 'connections_rejected_total', minute)?.amount ?? 0;
    // The agent's own connection is one of them, and still served.
    const full = most !== undefined && clients !== undefined && clients + 1 >= most && rejected > 0;
    if (up !== 'maxclients' && !full) return [];
    return [
      {
        severity: 'critical',
        summary: `maxclients${most === undefined ? '' : ` (${most})`} is reached: new connections are refused`,
        remedy:
          'find who holds them: redis-agent clients; then CONFIG SET maxclients, or end idle ones (timeout)',
        evidence: { clients_max: most ?? null, rejected_last_minute: rejected },
      },
    ];
  },
};
