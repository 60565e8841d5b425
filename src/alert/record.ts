import type { Alert } from '../domain/alert.ts';
import { knownAlerts, storeAlerts } from '../state/alerts/alerts.ts';
import { isDue } from '../state/episodes.ts';
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
  storeAlerts(
    state,
    changed.filter((alert) => isToBeKept(alert, before.get(alert.id), now)),
  );
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

/** What is only seen again, and fires as before, is noted now and then. */
function isToBeKept(alert: Alert, before: Alert | undefined, now: number): boolean {
  if (before === undefined || before.id === null || alert.state !== 'firing') return true;
  return !isSame(alert, before) || isDue(before.id, before.seen_at, now);
}

function isSame(alert: Alert, before: Alert): boolean {
  return Object.entries(alert).every(
    ([name, value]) =>
      name === 'seen_at' ||
      value === Reflect.get(before, name) ||
      (name === 'evidence' && JSON.stringify(value) === JSON.stringify(before.evidence)),
  );
}
