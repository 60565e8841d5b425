import { sampleRule, type Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

/** What cannot work without INFO is known at once; the rest is a lack, and no alarm. */
export const watchBlind: Evaluator = {
  rule: sampleRule({
    id: 'watch-blind',
    severity: 'warning',
    title: 'The agent cannot see all that it should',
    why: 'A right is missing, the command is renamed or not offered, or a queue is no such thing; rules that need it say nothing.',
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { blind, up, values } = nowOf(view);
    if (up !== 'up' && up !== 'misconf') return undefined;
    const said = blind.map(({ collector, reason, message }) => ({ collector, reason, message }));
    if (values['uptime_seconds'] === undefined && said.every(({ collector }) => collector !== 'info'))
      said.unshift({ collector: 'info', reason: 'garbled', message: 'INFO gave nothing that can be read' });
    return said.map(({ collector, reason, message }) => ({
      resource: collector,
      severity: collector === 'info' ? 'warning' : 'info',
      summary: `what ${collector} would tell is not known: ${message}`,
      remedy:
        reason === 'noperm'
          ? 'redis-agent init --rights shows and gives what is missing'
          : reason === 'keys'
            ? 'ACL SETUSER redis-agent %R~PREFIX:* (~PREFIX:* before 7.0), or ignore: true in monitor.queues'
            : reason === 'type'
              ? 'see what the key is (redis-cli TYPE), and name it as that in monitor.queues, or with ignore: true'
              : reason === 'garbled'
                ? 'is it a Redis at all, or is a proxy in between? See what it answers: redis-agent check'
                : 'if the command is renamed or the provider does not offer it, this stays so',
      evidence: { collector, reason },
    }));
  },
};
