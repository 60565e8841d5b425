import type { Alert, AlertGroup, Notice, Told } from '../../domain/alert.ts';
import { digestOf } from './digest.ts';
import { eventOf, type AlertEvent, type Timing } from './event.ts';
import { byCause, holdOf, type Holders, type Hold } from './hold.ts';
import { cut, itemOf, titleOf } from './items.ts';
import { calmDown } from './observe.ts';
import { Router, type Routing, type Targets } from './route.ts';

/** All that decides what is told. */
export interface Situation extends Holders, Routing {
  /** Those that are not over, and those that are and that somebody has yet to hear of. */
  alerts: readonly Alert[];
  groups: readonly AlertGroup[];
  timing: Timing;
  /** Warnings are told together: is it time, and what ended since the last one? Null: they are told at once. */
  digest: { due: boolean; ended: readonly Alert[] } | null;
}

/** What is to be stored, in one transaction, before any of it is sent. */
export interface Advance {
  /** Alerts that have changed, as they are now. */
  alerts: Alert[];
  groups: AlertGroup[];
  notices: Notice[];
  /** When to ask again although nothing was observed; null when there is nothing to wait for. */
  next: number | null;
}

const minute = 60_000;
const hour = 60 * minute;

/**
 * Decides what every channel is to be told now, and when to ask again. Asking twice tells nothing twice: what was told
 * stands in the alerts. Asking late tells what is left: something that came and went in between is told as that.
 */
export function advance(situation: Situation, now: number): Advance {
  const { channels, timing, digest } = situation;
  const round = new Round(situation, now);
  const router = new Router(situation, now);
  const alerts = situation.alerts.map((alert) => round.upToDate(alert));
  const causes = byCause(alerts);
  const waiting = new Map<string, AlertEvent[]>();
  for (const alert of alerts) {
    if (alert.fired_at === null) continue;
    const targets = router.targets(alert);
    const hold = holdOf(alert, Math.min(alert.resolved_at ?? now, now), situation, causes);
    round.waitFor(alert, hold, targets);
    let left = targets.deferred && alert.told.length === 0 && hold === undefined;
    for (const channel of channelsOf(alert, targets, channels)) {
      const target = targets.now.find((each) => each.channel === channel);
      const context = { channel, target, held: hold !== undefined, timing, now, digest: digest !== null };
      const event = eventOf(alert, context);
      if (event === undefined) continue;
      left ||= event.change !== 'open';
      const key = `${channel}\0${alert.instance}`;
      const list = waiting.get(key);
      if (list === undefined) waiting.set(key, [event]);
      else list.push(event);
    }
    if (alert.state === 'resolved' && !left) round.over(alert);
  }
  for (const [key, events] of waiting) {
    const [channel = '', instance = ''] = key.split('\0');
    round.tell(
      channel,
      instance,
      events.filter(({ inDigest }) => !inDigest),
    );
  }
  if (digest !== null && digest.due)
    for (const channel of channels) {
      const events = [...waiting]
        .filter(([key]) => key.startsWith(`${channel}\0`))
        .flatMap(([, list]) => list);
      const notice = digestOf(channel, events, digest.ended, now);
      if (notice !== undefined)
        round.add(
          notice,
          events.filter(({ inDigest }) => inDigest),
        );
    }
  return round.result();
}

/** Those who are to hear of it, and those who have. */
function channelsOf(alert: Alert, targets: Targets, channels: readonly string[]): string[] {
  const names = targets.now.map(({ channel }) => channel);
  for (const { channel } of alert.told)
    if (!names.includes(channel) && channels.includes(channel)) names.push(channel);
  return names;
}

/** What one call gathers. */
class Round {
  readonly #situation: Situation;
  readonly #now: number;
  readonly #changed = new Map<Alert, Alert>();
  readonly #groups = new Map<string, AlertGroup>();
  readonly #touched = new Set<AlertGroup>();
  readonly #notices: Notice[] = [];
  #next = Infinity;

  constructor(situation: Situation, now: number) {
    this.#situation = situation;
    this.#now = now;
    for (const group of situation.groups) this.#groups.set(`${group.channel}\0${group.instance}`, group);
  }

  /** Brings what the clock's steps have left in the future back to now, and ends what has calmed down. */
  upToDate(alert: Alert): Alert {
    let current = alert;
    if (alert.told.some(({ at }) => at > this.#now))
      current = { ...alert, told: alert.told.map((told) => ({ ...told, at: Math.min(told.at, this.#now) })) };
    current = calmDown(current, this.#now) ?? current;
    if (current !== alert) this.#changed.set(current, current);
    return current;
  }

  /** Notes when an alert that is held back, put off or escalating has to be looked at again. */
  waitFor(alert: Alert, hold: Hold | undefined, { deferred, next }: Targets): void {
    if (alert.state === 'resolved' && !deferred) return;
    if (typeof hold?.until === 'number') this.#wake(hold.until);
    if (hold?.by === 'window' || deferred) this.#wake(Math.floor(this.#now / minute + 1) * minute);
    if (hold === undefined && next !== null) this.#wake(next);
    if (alert.flapping_since !== null) this.#wake((alert.flips.at(-1) ?? alert.flapping_since) + hour);
  }

  over(alert: Alert): void {
    this.#change(alert, { settled_at: this.#now });
  }

  /** One notice to one channel about one instance, if any of the events is due. */
  tell(channel: string, instance: string, events: readonly AlertEvent[]): void {
    const news = events.filter(({ change }) => change !== 'open');
    if (news.length === 0) return;
    const group = this.#groups.get(`${channel}\0${instance}`);
    const last = Math.min(group?.last_at ?? -Infinity, this.#now);
    const { interval } = this.#situation.timing;
    const due = Math.min(
      ...news.map((event) => (event.urgent ? event.due : Math.max(event.due, last + interval))),
    );
    if (due > this.#now) {
      this.#wake(due);
      return;
    }
    // What would be repeated later is named as still open.
    const told = events.map((event) =>
      event.change === 'repeated' && event.due > this.#now ? { ...event, change: 'open' as const } : event,
    );
    const begun = events.some(({ alert }) =>
      alert.told.some((each) => each.channel === channel && !each.resolved),
    );
    const listed = cut(told.map((event) => itemOf(event)));
    const { thread, title } =
      group !== undefined && begun
        ? group
        : { thread: `${instance}-${this.#now.toString(36)}`, title: titleOf(listed) };
    const next = { channel, instance, thread, title, last_at: this.#now };
    this.#groups.set(`${channel}\0${instance}`, next);
    this.#touched.add(next);
    const notice = { key: '', kind: 'alerts' as const, channel, instance, thread, title, at: this.#now };
    this.add({ ...notice, ...listed }, told);
  }

  /** Takes a notice in, and notes in the alerts what it tells. */
  add(notice: Notice, events: readonly AlertEvent[]): void {
    this.#notices.push(notice);
    for (const { alert, change, channel } of events) {
      const current = this.#changed.get(alert) ?? alert;
      const told: Told = {
        channel,
        severity: alert.severity,
        at: this.#now,
        flapping: alert.flapping_since !== null,
        resolved: change === 'resolved' || change === 'passed',
      };
      this.#change(alert, { told: [...current.told.filter((each) => each.channel !== channel), told] });
      const { repeat } = this.#situation.timing;
      if (!told.resolved && alert.severity !== 'info') this.#wake(this.#now + repeat[alert.severity]);
      else this.#wake(this.#now);
    }
  }

  result(): Advance {
    const groups = [...this.#groups.values()].filter((group) => this.#touched.has(group));
    const next = Number.isFinite(this.#next) ? this.#next : null;
    return { alerts: [...this.#changed.values()], groups, notices: this.#notices, next };
  }

  #change(alert: Alert, change: Partial<Alert>): void {
    this.#changed.set(alert, { ...(this.#changed.get(alert) ?? alert), ...change });
  }

  #wake(at: number): void {
    this.#next = Math.min(this.#next, at);
  }
}
