import type { Clock } from '../../domain/clock.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Log } from '../../domain/log.ts';
import { channelRule } from '../../alert/engine/route.ts';
import { channelHealth } from '../../state/alerts/channels.ts';
import type { State } from '../../state/db/open.ts';
import { recordEvaluation } from '../findings.ts';

/** What concerns the agent itself and no server. */
export const agentItself = 'redis-agent';

/** Nobody is bothered with a mail server that restarts. Milliseconds. */
const patience = 10 * 60 * 1000;

/** Channels that do not work become findings, which the other channels are told of. */
export function recordChannels(
  context: { state: State; clock: Clock; log: Log },
  names: readonly string[],
): void {
  const now = context.clock.now();
  const findings: Finding[] = channelHealth(context.state)
    .filter(
      ({ name, failing_since: since, disabled }) =>
        since !== null && names.includes(name) && (disabled || now - since >= patience),
    )
    .map(({ name, failing_since: since, problem, remedy }) => ({
      instance: agentItself,
      rule: channelRule,
      resource: name,
      severity: 'high',
      summary: `alerts do not get through on ${name}: ${problem ?? 'no answer'}`,
      remedy: remedy ?? `see: redis-agent check`,
      evidence: { failing_since: since === null ? null : new Date(since).toISOString() },
    }));
  recordEvaluation(context, { instance: agentItself, evaluated: [{ rules: [channelRule] }], findings });
}

/** When a channel that fails now has failed for long enough; null when none does. */
export function channelsDue(state: State, now: number): number | null {
  const times = channelHealth(state)
    .filter(({ failing_since: since, disabled }) => since !== null && !disabled && now - since < patience)
    .map(({ failing_since: since }) => (since ?? now) + patience);
  return times.length === 0 ? null : Math.min(...times);
}
