import type { NoticeItem } from '../../domain/alert.ts';
import { severities, type Finding } from '../../domain/finding.ts';
import { printable } from '../../lib/text/printable.ts';
import type { AlertEvent } from './event.ts';

/** A message lists so many; the rest is a number. */
const mostItems = 200;

/** The worst and newest first, as many as a message may list. */
export function cut(items: NoticeItem[]): { items: NoticeItem[]; more: number } {
  const order: readonly NoticeItem['change'][] = [
    'fired',
    'raised',
    'flapping',
    'repeated',
    'open',
    'passed',
    'resolved',
  ];
  const sorted = items.toSorted(
    (a, b) =>
      order.indexOf(a.change) - order.indexOf(b.change) ||
      severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
      b.fired_at - a.fired_at ||
      a.episode - b.episode,
  );
  return { items: sorted.slice(0, mostItems), more: Math.max(0, sorted.length - mostItems) };
}

export function itemOf({ alert, change, escalated }: AlertEvent): NoticeItem {
  return {
    ...tidy(alert),
    episode: alert.id ?? 0,
    change,
    since: alert.since,
    fired_at: alert.fired_at ?? alert.since,
    resolved_at: alert.resolved_at,
    resolution: alert.resolution,
    acknowledged: alert.ack !== null,
    escalated,
    flips: alert.flapping_since === null ? 0 : alert.flips.length,
  };
}

/** What a finding says, safe to be shown and no longer than anybody reads. */
export function tidy({ instance, rule, resource, severity, summary, remedy, evidence }: Finding): Finding {
  const facts = Object.entries(evidence)
    .slice(0, 16)
    .map(([key, value]) => [short(key, 60), typeof value === 'string' ? short(value, 300) : value] as const);
  return {
    instance,
    rule,
    resource: short(resource, 200),
    severity,
    summary: short(summary, 1000),
    remedy: short(remedy, 1000),
    evidence: Object.fromEntries(facts),
  };
}

function short(text: string, limit: number): string {
  const safe = printable(text.slice(0, limit));
  return text.length <= limit && safe.length <= limit ? safe : `${safe.slice(0, limit - 1)}…`;
}

/** What a thread of messages goes by. */
export function titleOf({ items, more }: { items: readonly NoticeItem[]; more: number }): string {
  const [first] = items;
  const others = items.length - 1 + more;
  return `${first?.rule ?? ''}${others > 0 ? ` and ${others} more` : ''}`;
}
