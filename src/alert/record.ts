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

/** Is nothing but when it was seen another? By name, and not by looking names up: ten thousand are compared each poll. */
function isSame(alert: Alert, before: Alert): boolean {
  return (
    alert.summary === before.summary &&
    alert.severity === before.severity &&
    alert.remedy === before.remedy &&
    alert.state === before.state &&
    alert.since === before.since &&
    alert.fired_at === before.fired_at &&
    alert.cleared_at === before.cleared_at &&
    alert.resolved_at === before.resolved_at &&
    alert.resolution === before.resolution &&
    alert.unknown_since === before.unknown_since &&
    alert.flips === before.flips &&
    alert.flapping_since === before.flapping_since &&
    alert.ack === before.ack &&
    alert.told === before.told &&
    alert.settled_at === before.settled_at &&
    isSameEvidence(alert.evidence, before.evidence)
  );
}

function isSameEvidence(now: Alert['evidence'], before: Alert['evidence']): boolean {
  const names = Object.keys(now);
  return names.length === Object.keys(before).length && names.every((name) => now[name] === before[name]);
}
