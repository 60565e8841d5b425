import type { Alert } from '../../domain/alert.ts';
import { atLeast } from '../../domain/finding.ts';
import { namesOf } from '../../domain/former-names.ts';
import type { EscalationSettings, RouteSettings } from '../../domain/settings/alerts.ts';
import { isWithinHours } from './local-time.ts';
import { matches } from './match.ts';

export interface Target {
  channel: string;
  /** Only because nobody acknowledged it. */
  escalated: boolean;
}

export interface Targets {
  now: Target[];
  /** A route takes it, whose hours have not come yet. */
  deferred: boolean;
  /** When the next step of the escalation is due, milliseconds since the epoch. */
  next: number | null;
}

export interface Routing {
  /** All that can be told, in the order of the configuration. */
  channels: readonly string[];
  routes: readonly RouteSettings[];
  escalation: readonly EscalationSettings[];
  timezone: string;
}

/** The alert about a channel that does not work; its resource is the channel's name. */
export const channelRule = 'channel-failing';

const nobody: Targets = { now: [], deferred: false, next: null };

/**
 * Who is to hear of an alert at one time. The first route that matches decides; without one, every channel hears of it.
 * Where only the hours of a route do not fit, later routes may take it, else it waits for them. What a channel's own
 * trouble is goes to the others.
 */
export class Router {
  readonly #routing: Routing;
  readonly #now: number;
  readonly #known = new Map<string, Targets>();

  constructor(routing: Routing, now: number) {
    this.#routing = routing;
    this.#now = now;
  }

  targets(alert: Alert): Targets {
    if (!atLeast(alert.severity, 'warning')) return nobody;
    const direct = this.#direct(alert);
    const steps = escalationOf(alert, this.#now, this.#routing.escalation);
    if (steps.to.length === 0 && steps.next === null && alert.rule !== channelRule) return direct;
    const named = new Set(direct.now.map(({ channel }) => channel));
    const extra = [...new Set(steps.to)].filter((channel) => !named.has(channel));
    const all = [...direct.now, ...extra.map((channel) => ({ channel, escalated: true }))];
    const own = alert.rule === channelRule ? alert.resource : undefined;
    return {
      now: all.filter(({ channel }) => channel !== own && this.#routing.channels.includes(channel)),
      deferred: direct.deferred,
      next: steps.next,
    };
  }

  /** What the routes say: the same for all alerts of a rule, an instance and a severity. */
  #direct(alert: Alert): Targets {
    const names = namesOf(alert).map(({ rule }) => rule);
    const key = `${names.join(' ')}\0${alert.instance}\0${alert.severity}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const route = routeOf({ ...alert, names }, this.#now, this.#routing);
      const to = route === 'later' ? [] : route.to;
      const channels = [...new Set(to)].filter((channel) => this.#routing.channels.includes(channel));
      known = {
        now: channels.map((channel) => ({ channel, escalated: false })),
        deferred: route === 'later',
        next: null,
      };
      this.#known.set(key, known);
    }
    return known;
  }
}

function routeOf(
  alert: Pick<Alert, 'severity' | 'instance'> & { names: readonly string[] },
  now: number,
  { routes, channels, timezone }: Routing,
): { to: readonly string[] } | 'later' {
  let later = false;
  for (const { match, to } of routes) {
    const { severity = 'info', rule = '*', instance = '*', hours } = match;
    if (!atLeast(alert.severity, severity)) continue;
    if (!alert.names.some((name) => matches(rule, name)) || !matches(instance, alert.instance)) continue;
    if (hours === undefined || isWithinHours(hours, now, timezone)) return { to };
    later = true;
  }
  return later ? 'later' : { to: channels };
}

const noStep: { to: string[]; next: number | null } = { to: [], next: null };

function escalationOf(
  alert: Alert,
  now: number,
  steps: readonly EscalationSettings[],
): { to: string[]; next: number | null } {
  const { fired_at: fired, ack, state } = alert;
  if (steps.length === 0 || fired === null || ack !== null || state === 'resolved') return noStep;
  const due = steps.filter(({ severity }) => atLeast(alert.severity, severity));
  const later = due.filter(({ after }) => now < fired + after).map(({ after }) => fired + after);
  return {
    to: due.filter(({ after }) => now >= fired + after).flatMap(({ to }) => to),
    next: later.length === 0 ? null : Math.min(...later),
  };
}
