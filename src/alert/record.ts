import type { Alert } from '../domain/alert.ts';
import { knownAlerts, storeAlerts } from '../state/alerts/alerts.ts';
import type { State } from '../state/db/open.ts';
import { flapSpan, observe, type Observation, type RuleTimings } from './engine/observe.ts';

/**
 * Brings the alerts of an instance to what an evaluation came to. To be called in the transaction that records its
 * findings. True when there may be something to tell.
 */
export function recordAlerts(
  state: State,
  observation: Observation,
  rules: RuleTimings,
  now: number,
): boolean {
  const known = knownAlerts(state, observation.instance, { now, span: flapSpan });
  const before = new Map(known.map((alert) => [alert.id, alert]));
  const changed = observe(known, observation, rules, now);
  storeAlerts(state, changed);
  return changed.some((alert) => isNews(alert, before.get(alert.id)));
}

/** Seen again is no news, and neither is one that has yet to fire. */
function isNews(alert: Alert, before: Alert | undefined): boolean {
  if (alert.fired_at === null) return false;
  return (
    before?.fired_at !== alert.fired_at ||
    before.state !== alert.state ||
    before.severity !== alert.severity ||
    before.flapping_since !== alert.flapping_since
  );
}
