import type { NoticeItem } from '../../domain/alert.ts';
import { severities } from '../../domain/finding.ts';
import type { AlertEvent } from './event.ts';

/** A message lists so many; the rest is a number. */
export const mostItems = 200;

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
  const { instance, rule, resource, severity, summary, remedy, evidence } = alert;
  return {
    instance,
    rule,
    resource,
    severity,
    summary,
    remedy,
    evidence,
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
