import type { RetentionSettings } from '../../domain/settings.ts';

/** What the policy knows of one backup. */
export interface RetentionCandidate {
  id: string;
  /** When it was taken, milliseconds. */
  at: number;
  /** It seems to come from the future: a clock was wrong. */
  ahead: boolean;
  /** Complete and, as far as anybody has looked, sound. */
  sound: boolean;
  /** Proven by a verification that at least decoded it. */
  proven: boolean;
  /** Suspiciously smaller than what came before. */
  shrunken: boolean;
}

export interface RetentionDecision {
  id: string;
  keep: boolean;
  /** Why, in words for people. */
  reason: string;
}

const day = 24 * 60 * 60 * 1000;

/**
 * Decides which backups stay. Pure: the same listing, settings, time and zone give the same plan, which is what
 * `backups prune --dry-run` prints and a real run executes. Newest first in the answer.
 *
 * Damaged and shrunken backups age out by time but never count towards anything that would let a good one go: not
 * towards keep_min, nor the calendar rules, nor as the newest. What seems to come from the future stays and counts neither.
 */
export function planRetention(
  candidates: readonly RetentionCandidate[],
  retention: RetentionSettings,
  { now, timezone }: { now: number; timezone: string },
): RetentionDecision[] {
  const newestFirst = candidates.toSorted((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
  const past = newestFirst.filter((candidate) => !candidate.ahead);
  const good = past.filter((candidate) => candidate.sound && !candidate.shrunken);
  const reasons = new Map<string, string>();
  const keep = (candidate: RetentionCandidate | undefined, reason: string): void => {
    if (candidate !== undefined && !reasons.has(candidate.id)) reasons.set(candidate.id, reason);
  };

  keep(past[0], 'the newest');
  keep(good[0], 'the newest good one');
  keep(
    good.find((candidate) => candidate.proven),
    'the newest proven one',
  );
  for (const candidate of newestFirst.filter(({ ahead }) => ahead))
    keep(candidate, 'from the future, as its name says: a clock was wrong');
  for (const candidate of past)
    if (now - candidate.at < retention.days * day)
      keep(candidate, `younger than ${plural(retention.days, 'day')}`);
  for (const candidate of good.slice(0, retention.keep_min))
    keep(candidate, `one of the ${retention.keep_min} newest good ones (keep_min)`);
  for (const rule of calendarRules(retention, timezone)) keepPerPeriod(good, rule, keep);

  return newestFirst.map((candidate) => {
    const reason = reasons.get(candidate.id);
    return reason === undefined
      ? { id: candidate.id, keep: false, reason: `older than ${plural(retention.days, 'day')}` }
      : { id: candidate.id, keep: true, reason };
  });
}

interface CalendarRule {
  count: number;
  name: string;
  period(at: number): string;
}

function calendarRules(retention: RetentionSettings, timezone: string): CalendarRule[] {
  const dateOf = localDate(timezone);
  return [
    { count: retention.daily, name: 'daily', period: dateOf },
    { count: retention.weekly, name: 'weekly', period: (at) => isoWeek(dateOf(at)) },
    { count: retention.monthly, name: 'monthly', period: (at) => dateOf(at).slice(0, 7) },
  ];
}

/** Keeps the newest good backup of each of the newest `count` periods that have one. */
function keepPerPeriod(
  good: readonly RetentionCandidate[],
  rule: CalendarRule,
  keep: (candidate: RetentionCandidate, reason: string) => void,
): void {
  const seen = new Set<string>();
  for (const candidate of good) {
    const period = rule.period(candidate.at);
    if (seen.has(period)) continue;
    if (seen.size >= rule.count) return;
    seen.add(period);
    keep(candidate, `${rule.name} for ${period}`);
  }
}

/** `YYYY-MM-DD` of a moment in an IANA time zone. */
function localDate(timezone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return (at) => format.format(at);
}

/** `YYYY-Www` by ISO 8601: the week belongs to the year that holds its Thursday. */
function isoWeek(date: string): string {
  const noon = new Date(`${date}T12:00:00Z`);
  const thursday = new Date(noon.getTime() + (4 - (noon.getUTCDay() || 7)) * day);
  const firstOfYear = Date.UTC(thursday.getUTCFullYear(), 0, 1, 12);
  const week = Math.floor((thursday.getTime() - firstOfYear) / (7 * day)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
