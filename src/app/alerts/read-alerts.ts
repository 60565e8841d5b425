import { byCause, holdOf, type Hold } from '../../alert/engine/hold.ts';
import { tellable } from '../../alert/decide.ts';
import type { Alert, Silence } from '../../domain/alert.ts';
import { severities } from '../../domain/finding.ts';
import { endedAlerts, unsettledAlerts } from '../../state/alerts/alerts.ts';
import { channelHealth, type ChannelHealth } from '../../state/alerts/channels.ts';
import { outboxDepth } from '../../state/alerts/outbox.ts';
import { silences } from '../../state/alerts/silences.ts';
import { isHeld } from '../../state/locks/lock.ts';
import type { App } from '../build-app.ts';
import { deliveryLock } from '../daemon/deliver.ts';
import { alertPolicy } from './policy.ts';

/** An alert that is not over, and why nobody is told of it now. */
export interface OpenAlert {
  alert: Alert;
  hold: Hold | undefined;
}

export interface AlertsView {
  /** The worst and longest first. */
  open: OpenAlert[];
  /** Those that have not ended. */
  silences: Silence[];
  channels: (Pick<ChannelHealth, 'name' | 'failing_since' | 'disabled' | 'problem'> & { waiting: number })[];
  /** Does a daemon run that tells people? */
  delivered: boolean;
}

/** What is open, what is held back, and whether it gets through. */
export function readAlerts(app: App, { pending }: { pending: boolean }): AlertsView {
  const state = app.state();
  const now = app.clock.now();
  const policy = alertPolicy(app);
  const { settings, rules } = policy;
  const known = silences(state, { now, span: 0 });
  const all = unsettledAlerts(state).filter(({ state: current }) => current !== 'resolved');
  const causes = byCause(all);
  const holders = {
    silences: known,
    windows: settings.windows,
    work: policy.work(state, now),
    rules,
    get timezone() {
      return policy.timezone;
    },
  };
  const depth = new Map(outboxDepth(state).map(({ channel, waiting }) => [channel, waiting]));
  const health = new Map(channelHealth(state).map((each) => [each.name, each]));
  return {
    open: all
      .filter(({ state: current }) => pending || current !== 'pending')
      .toSorted(
        (a, b) =>
          severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
          a.since - b.since ||
          Number(a.id) - Number(b.id),
      )
      .map((alert) => ({ alert, hold: holdOf(alert, now, holders, causes) })),
    silences: known,
    channels: tellable(settings).map((name) => {
      const { failing_since = null, disabled = false, problem = null } = health.get(name) ?? {};
      return { name, failing_since, disabled, problem, waiting: depth.get(name) ?? 0 };
    }),
    delivered: daemonRuns(app),
  };
}

/** Those that are over, the newest first. */
export function readEnded(app: App, since: number): Alert[] {
  return endedAlerts(app.state(), since, 10_000);
}

/** A daemon runs, which delivers and does all that comes round. */
export function daemonRuns(app: App): boolean {
  return isHeld(app.settings.state.path, deliveryLock);
}

/**
 * What a command has raised that nobody will be told of, since no daemon runs; undefined when somebody will, or nobody
 * wants to be. Counts what began at or after `since`.
 */
export function undelivered(app: App, since: number): number | undefined {
  if (tellable(app.settings.alerts).length === 0 || daemonRuns(app)) return undefined;
  const count = unsettledAlerts(app.state()).filter(
    ({ fired_at: fired, severity, told }) =>
      fired !== null && fired >= since && severity !== 'info' && told.length === 0,
  ).length;
  return count === 0 ? undefined : count;
}
