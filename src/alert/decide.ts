import type { AlertSettings } from '../domain/settings/alerts.ts';
import {
  alertGroups,
  endedAlerts,
  storeAlerts,
  storeGroups,
  unsettledAlerts,
} from '../state/alerts/alerts.ts';
import { lastMark, mark } from '../state/alerts/marks.ts';
import { enqueue } from '../state/alerts/outbox.ts';
import { silences } from '../state/alerts/silences.ts';
import type { State } from '../state/db/open.ts';
import { inTransaction } from '../state/db/transaction.ts';
import { advance } from './engine/advance.ts';
import type { OwnWork } from './engine/hold.ts';
import { retire, type RuleTimings } from './engine/observe.ts';

/** What decides beside the alerts themselves. */
export interface Policy {
  settings: AlertSettings;
  rules: RuleTimings;
  /** IANA zone of hours and windows. */
  timezone: string;
  /** When the digest after `at` is due, milliseconds since the epoch; null without one. */
  nextDigest: (at: number) => number | null;
  /** What the agent does, or has just done, to the servers that it watches. */
  work: (state: State, now: number) => readonly OwnWork[];
}

const day = 24 * 60 * 60 * 1000;
/** A digest lists no more that is over than this; a message lists fewer. */
const mostEnded = 1000;
const digestMark = 'digest';

/**
 * Decides what is to be told now and puts it into the outbox, in one transaction with the note that it was. Returns when
 * to ask again although nobody rings; null when there is nothing to wait for.
 */
export function decide(
  state: State,
  { settings, rules, timezone, nextDigest, work }: Policy,
  now: number,
): number | null {
  return inTransaction(state, () => {
    const alerts = unsettledAlerts(state);
    const channels = tellable(settings);
    const wantsDigest = settings.digest !== null && channels.length > 0;
    const last = wantsDigest ? lastDigest(state, now) : now;
    const dueAt = wantsDigest ? nextDigest(last) : null;
    const due = dueAt !== null && dueAt <= now;
    const result = advance(
      {
        alerts,
        groups: alertGroups(state),
        silences: silences(state, { now, span: day }),
        windows: settings.windows,
        work: work(state, now),
        rules,
        timezone,
        channels,
        routes: settings.routes,
        escalation: settings.escalation,
        timing: {
          wait: settings.group_wait,
          interval: settings.group_interval,
          repeat: settings.repeat,
          giveUpAfter: settings.give_up_after,
        },
        digest: wantsDigest ? { due, ended: due ? endedAlerts(state, last, mostEnded) : [] } : null,
      },
      now,
    );
    storeAlerts(state, result.alerts);
    storeGroups(state, result.groups);
    enqueue(state, result.notices);
    if (due) mark(state, digestMark, now);
    const digestAt = wantsDigest ? (due ? nextDigest(now) : dueAt) : null;
    const times = [result.next, digestAt].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  });
}

/** Channels that are told things, by name. */
export function tellable({ channels }: AlertSettings): string[] {
  return channels.filter(({ type }) => type !== 'deadman').map(({ name }) => name);
}

/** What nobody watches any more is over. */
export function retireUnwatched(
  state: State,
  watched: { instances: readonly string[]; rules: ReadonlySet<string> },
  now: number,
): void {
  inTransaction(state, () => {
    const gone = retire(
      unsettledAlerts(state),
      ({ instance, rule }) => watched.instances.includes(instance) && watched.rules.has(rule),
      now,
    );
    storeAlerts(
      state,
      gone.map((alert) => (alert.fired_at === null ? { ...alert, settled_at: now } : alert)),
    );
  });
}

/** Before there was one, and after the clock was set back, the next of its times is the first. */
function lastDigest(state: State, now: number): number {
  const last = lastMark(state, digestMark);
  if (last !== undefined && last <= now) return last;
  mark(state, digestMark, now);
  return now;
}
