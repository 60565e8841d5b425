import type { Alert } from '../../domain/alert.ts';
import { atLeast, type Finding } from '../../domain/finding.ts';
import type { Rule } from '../../domain/rule.ts';

/** What one evaluation of one instance came to. */
export interface Observation {
  instance: string;
  /** What it covered; of a rule all resources when none are named. */
  evaluated: readonly { rules: readonly string[]; resources?: readonly string[] | undefined }[];
  findings: readonly Finding[];
  /** Rules that could not be judged: their alerts neither begin nor end. */
  unknown?: readonly string[] | undefined;
}

/** How long a rule's condition has to hold, and to be gone. */
export type RuleTiming = Pick<Rule, 'for' | 'keepFiring' | 'inhibitedBy'>;
export type RuleTimings = ReadonlyMap<string, RuleTiming>;

const hour = 60 * 60 * 1000;
/** Not seen for longer, a pending alert begins anew: nobody knows what was in between. */
export const pendingGap = hour;
/** So many beginnings and ends within `flapSpan` are flapping. */
const flapCount = 4;
export const flapSpan = hour;

/**
 * The alerts that an evaluation changes, as they are then. `known` are the instance's alerts that are not over, and
 * those that ended within the last `flapSpan`. One that is over without ever having fired has `fired_at` null: it can
 * be forgotten. The order of calls is time's order; `now` may step back all the same, and then nothing ends early.
 */
export function observe(
  known: readonly Alert[],
  { instance, evaluated, findings, unknown = [] }: Observation,
  rules: RuleTimings,
  now: number,
): Alert[] {
  const active = new Map<string, Alert>();
  const ended = new Map<string, Alert>();
  for (const alert of known) (alert.state === 'resolved' ? ended : active).set(keyOf(alert), alert);
  const unclear = new Set(unknown);
  const seen = new Set<string>();
  const changed: Alert[] = [];
  for (const [key, finding] of worstOfEach(findings)) {
    if (unclear.has(finding.rule)) continue;
    seen.add(key);
    const before = active.get(key) ?? begin(finding, ended.get(key), now);
    changed.push(seenAgain(before, finding, rules.get(finding.rule) ?? {}, now));
  }
  for (const alert of active.values()) {
    if (alert.instance !== instance || seen.has(keyOf(alert))) continue;
    const after = unclear.has(alert.rule)
      ? cannotTell(alert, now)
      : covers(evaluated, alert)
        ? notSeen(alert, rules.get(alert.rule) ?? {}, now)
        : undefined;
    if (after !== undefined) changed.push(after);
  }
  return changed;
}

/** Those of what is watched no longer are over, whatever their state. */
export function retire(known: readonly Alert[], watched: (alert: Alert) => boolean, now: number): Alert[] {
  return known
    .filter((alert) => alert.state !== 'resolved' && !watched(alert))
    .map((alert) => ({ ...alert, state: 'resolved', resolved_at: now, resolution: 'unwatched' }));
}

/** One that comes and goes, and has stayed away for long enough, is over; nobody need look again. */
export function calmDown(alert: Alert, now: number): Alert | undefined {
  if (alert.flapping_since === null) return undefined;
  const last = alert.flips.at(-1) ?? alert.flapping_since;
  if (now - last < flapSpan) return undefined;
  if (alert.state === 'firing') return { ...alert, flapping_since: null, flips: [] };
  if (alert.state !== 'recovering' || alert.unknown_since !== null) return undefined;
  return end({ ...alert, flips: [] }, now);
}

function keyOf({ rule, resource }: { rule: string; resource: string }): string {
  return `${rule}\0${resource}`;
}

/** One thing can be found wrong twice in one look: of that the worst counts. */
function worstOfEach(findings: readonly Finding[]): Map<string, Finding> {
  const worst = new Map<string, Finding>();
  for (const finding of findings) {
    const other = worst.get(keyOf(finding));
    if (other === undefined || !atLeast(other.severity, finding.severity)) worst.set(keyOf(finding), finding);
  }
  return worst;
}

function covers(evaluated: Observation['evaluated'], { rule, resource }: Alert): boolean {
  return evaluated.some(
    ({ rules, resources }) => rules.includes(rule) && (resources?.includes(resource) ?? true),
  );
}

function begin(finding: Finding, last: Alert | undefined, now: number): Alert {
  return {
    ...finding,
    id: null,
    state: 'pending',
    since: now,
    seen_at: now,
    fired_at: null,
    cleared_at: null,
    resolved_at: null,
    resolution: null,
    unknown_since: null,
    flips: last?.flips ?? [],
    flapping_since: null,
    ack: null,
    told: [],
    settled_at: null,
  };
}

function seenAgain(alert: Alert, finding: Finding, rule: RuleTiming, now: number): Alert {
  const { severity, summary, remedy, evidence } = finding;
  // One copy, and then what changes: of two objects that are spread the second costs as much as all the rest.
  const next: Alert = { ...alert };
  next.severity = severity;
  next.summary = summary;
  next.remedy = remedy;
  next.evidence = evidence;
  next.seen_at = now;
  next.cleared_at = null;
  next.unknown_since = null;
  if (next.ack !== null && !atLeast(next.ack.severity, finding.severity)) next.ack = null;
  if (alert.state === 'recovering' && alert.flapping_since !== null)
    next.flips = recent([...alert.flips, now], now);
  if (alert.state !== 'pending') {
    next.state = 'firing';
    return next;
  }
  const gap = now - alert.seen_at;
  if (gap < 0 || gap > pendingGap || alert.since > now) next.since = now;
  if (now - next.since < (rule.for ?? 0)) return next;
  next.flips = recent([...alert.flips, now], now);
  return {
    ...next,
    state: 'firing',
    fired_at: now,
    flapping_since: next.flips.length >= flapCount ? now : null,
  };
}

function notSeen(alert: Alert, rule: RuleTiming, now: number): Alert {
  const next = { ...alert, unknown_since: null };
  if (alert.state === 'pending') return end(next, now);
  if (alert.state === 'firing' || alert.cleared_at === null || alert.cleared_at > now) {
    next.cleared_at = now;
    if (alert.state === 'firing' && alert.flapping_since !== null)
      next.flips = recent([...alert.flips, now], now);
    next.state = 'recovering';
  }
  const keep =
    alert.flapping_since === null ? (rule.keepFiring ?? 0) : Math.max(rule.keepFiring ?? 0, flapSpan);
  if (now - (next.cleared_at ?? now) < keep) return next;
  if (alert.flapping_since !== null) return end({ ...next, flips: [] }, now);
  next.flips = recent([...next.flips, now], now);
  if (next.flips.length < flapCount) return end(next, now);
  return { ...next, state: 'recovering', flapping_since: now };
}

function cannotTell(alert: Alert, now: number): Alert | undefined {
  return alert.unknown_since === null ? { ...alert, unknown_since: now } : undefined;
}

function end(alert: Alert, now: number): Alert {
  const settled_at = alert.fired_at === null ? now : null;
  return { ...alert, state: 'resolved', resolved_at: now, resolution: 'cleared', settled_at };
}

function recent(times: number[], now: number): number[] {
  return times.filter((time) => time <= now && now - time < flapSpan).slice(-2 * flapCount * 8);
}
