import type { Alert, Silence, SilenceMatch } from '../../domain/alert.ts';
import { namesOf } from '../../domain/former-names.ts';
import type { WindowSettings } from '../../domain/settings/alerts.ts';
import { isWindowOpen } from './local-time.ts';
import { matches } from './match.ts';
import type { RuleTimings } from './observe.ts';

/** Why an alert is not told now. */
export interface Hold {
  by: 'silence' | 'window' | 'inhibition';
  /** For people: `silenced by kim: disk swap`. */
  reason: string;
  /** When it ends; null when that is not known. */
  until: number | null;
}

/** Work of the agent's own that causes findings. Times are milliseconds since the epoch. */
export interface OwnWork {
  instance: string;
  /** For people: `restore`. */
  name: string;
  /** What it causes. */
  rules: readonly string[];
  from: number;
  /** Infinity while it is under way. */
  until: number;
}

export interface Holders {
  silences: readonly Silence[];
  windows: readonly WindowSettings[];
  work: readonly OwnWork[];
  rules: RuleTimings;
  /** IANA zone of windows that name none. */
  timezone: string;
}

/** What held or holds an alert back at a time. `others`: by instance and rule, those that may be what it follows from. */
export function holdOf(
  alert: Alert,
  at: number,
  { silences, windows, work, rules, timezone }: Holders,
  others: ReadonlyMap<string, readonly Alert[]>,
): Hold | undefined {
  const silence = silences.find(
    ({ match, from, until }) => from <= at && at < until && isMatched(match, alert),
  );
  if (silence !== undefined)
    return { by: 'silence', reason: `silenced by ${silence.author}: ${silence.why}`, until: silence.until };
  const window = windows.find(
    (each) => (each.instances?.includes(alert.instance) ?? true) && isWindowOpen(each, at, timezone),
  );
  if (window !== undefined)
    return { by: 'window', reason: `maintenance window: ${window.reason}`, until: null };
  const own = work.find(
    ({ instance, rules: caused, from, until }) =>
      instance === alert.instance && caused.includes(alert.rule) && from <= at && at < until,
  );
  if (own !== undefined) return { by: 'window', reason: `follows from a ${own.name} under way`, until: null };
  for (const rule of rules.get(alert.rule)?.inhibitedBy ?? []) {
    const cause = others
      .get(causeKey(alert.instance, rule))
      ?.find(
        (other) => other.resolved_at === null || (alert.state === 'resolved' && other.resolved_at >= at),
      );
    if (cause !== undefined && cause.since <= at)
      return { by: 'inhibition', reason: `follows from ${rule}`, until: null };
  }
  return undefined;
}

/** By instance and rule, for holdOf. */
export function byCause(alerts: readonly Alert[]): Map<string, Alert[]> {
  const found = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = causeKey(alert.instance, alert.rule);
    const list = found.get(key);
    if (list === undefined) found.set(key, [alert]);
    else list.push(alert);
  }
  return found;
}

function causeKey(instance: string, rule: string): string {
  return `${instance}\0${rule}`;
}

/** Does a silence's matcher fit? */
function isMatched(match: SilenceMatch, alert: Alert): boolean {
  return (
    (match.alert === undefined || match.alert === alert.id) &&
    (match.instance === undefined || match.instance === alert.instance) &&
    namesOf(alert).some(
      ({ rule, resource }) =>
        (match.rule === undefined || matches(match.rule, rule)) &&
        (match.resource === undefined || matches(match.resource, resource)),
    )
  );
}
