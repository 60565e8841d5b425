import type { Alert, AlertChange } from '../../domain/alert.ts';
import { atLeast, type Severity } from '../../domain/finding.ts';
import { flapSpan } from './observe.ts';
import type { Target } from './route.ts';

/** When whom to tell, milliseconds. */
export interface Timing {
  /** What is not critical waits so long for company. */
  wait: number;
  /** Least time between two notices to one channel about one instance; what becomes critical does not wait. */
  interval: number;
  /** How often what stays open is told again. */
  repeat: Readonly<Record<Exclude<Severity, 'info'>, number>>;
  /** What is over and was told to nobody for so long is not told any more. */
  giveUpAfter: number;
}

/** What one channel has to hear of one alert, and when. */
export interface AlertEvent {
  alert: Alert;
  channel: string;
  change: AlertChange;
  due: number;
  /** It does not wait for the group's interval. */
  urgent: boolean;
  escalated: boolean;
  /** It is told in the digest and not by itself. */
  inDigest: boolean;
}

export interface EventContext {
  channel: string;
  /** Why this channel hears of it; undefined when it would not, as routes are now. */
  target: Target | undefined;
  held: boolean;
  timing: Timing;
  now: number;
  /** Is there a digest? */
  digest: boolean;
}

/** Undefined when the channel has nothing to do with it. `open`: nothing new, and it may be named. */
export function eventOf(alert: Alert, context: EventContext): AlertEvent | undefined {
  const { channel, target, timing, now } = context;
  const { severity, fired_at: fired } = alert;
  if (fired === null) return undefined;
  const told = alert.told.find((each) => each.channel === channel);
  // What was never worth telling; of what was, the end still is.
  if (severity === 'info' && told === undefined) return undefined;
  const critical = severity === 'critical';
  const event = (change: AlertChange, due: number, urgent = false): AlertEvent => ({
    alert,
    channel,
    change,
    due,
    urgent,
    escalated: target?.escalated ?? false,
    inDigest:
      context.digest && !atLeast(severity, 'high') && (told === undefined || !atLeast(told.severity, 'high')),
  });
  /** News that wait for company, unless they are critical. A clock that was set back makes nobody wait. */
  const fresh = (change: AlertChange): AlertEvent =>
    critical || target?.escalated === true
      ? event(change, -Infinity, true)
      : event(change, fired > now ? now : fired + timing.wait);

  if (alert.state === 'resolved') {
    const resolved = alert.resolved_at ?? now;
    if (told !== undefined) return told.resolved ? undefined : event('resolved', Math.min(resolved, now));
    const stale = now - resolved > timing.giveUpAfter;
    return target === undefined || context.held || stale ? undefined : fresh('passed');
  }
  if (context.held) return undefined;
  const flapping = alert.flapping_since !== null;
  if (told === undefined) {
    if (target === undefined) return undefined;
    return fresh(flapping ? 'flapping' : 'fired');
  }
  if (!atLeast(told.severity, severity)) return event('raised', -Infinity, critical);
  if (flapping) {
    if (!told.flapping) return event('flapping', -Infinity);
    const moved = alert.flips.some((at) => at > told.at);
    return moved ? event('flapping', told.at + flapSpan) : event('open', Infinity);
  }
  if (alert.ack !== null || target === undefined || severity === 'info') return event('open', Infinity);
  return event('repeated', told.at + timing.repeat[severity]);
}
