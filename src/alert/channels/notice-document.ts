import type { Notice } from '../../domain/alert.ts';
import type { MessageContext } from '../message/item.ts';
import { describeNotice } from '../message/message.ts';

/** A notice as the JSON document that web hooks and programs get; its keys are contract. */
export function noticeDocument(notice: Notice, context: MessageContext): Record<string, unknown> {
  const { key, kind, instance, thread, at, items, more } = notice;
  const { headline, severity } = describeNotice(notice, context);
  return {
    version: 1,
    key,
    kind,
    host: context.host,
    instance: instance === '' ? null : instance,
    thread,
    at: iso(at),
    headline,
    severity: severity ?? null,
    status: severity === undefined ? 'resolved' : 'firing',
    alerts: items.map((item) => ({
      id: item.episode,
      change: item.change,
      instance: item.instance,
      rule: item.rule,
      resource: item.resource,
      severity: item.severity,
      summary: item.summary,
      remedy: item.remedy,
      evidence: item.evidence,
      fired_at: iso(item.fired_at),
      resolved_at: item.resolved_at === null ? null : iso(item.resolved_at),
      resolution: item.resolution,
      acknowledged: item.acknowledged,
      escalated: item.escalated,
    })),
    more,
  };
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}
