import { createHash } from 'node:crypto';
import type { Notice, NoticeItem } from '../../domain/alert.ts';
import type { MessageContext } from '../message/item.ts';
import { iso } from './notice-document.ts';

/** What Alertmanager sends to its web hooks (version 4), so that existing receivers work. */
export function alertmanagerPayload(
  notice: Notice,
  { receiver, host, publicUrl = '' }: MessageContext & { receiver: string },
): Record<string, unknown> {
  const { items, more, instance } = notice;
  const groupLabels = instance === '' ? {} : { instance };
  return {
    version: '4',
    groupKey: `redis-agent/${host}/${notice.thread}`,
    truncatedAlerts: more,
    status: items.some((item) => !isOver(item)) ? 'firing' : 'resolved',
    receiver,
    groupLabels,
    commonLabels: { ...groupLabels, host },
    commonAnnotations: {},
    externalURL: publicUrl,
    alerts: items.map((item) => {
      const labels = labelsOf(item, host);
      return {
        status: isOver(item) ? 'resolved' : 'firing',
        labels,
        annotations: annotationsOf(item),
        startsAt: iso(item.fired_at),
        endsAt: item.resolved_at === null ? '0001-01-01T00:00:00Z' : iso(item.resolved_at),
        generatorURL: publicUrl,
        fingerprint: createHash('sha256').update(JSON.stringify(labels)).digest('hex').slice(0, 16),
      };
    }),
  };
}

export function isOver({ change }: NoticeItem): boolean {
  return change === 'resolved' || change === 'passed';
}

export function labelsOf(
  { rule, instance, resource, severity }: NoticeItem,
  host: string,
): Record<string, string> {
  return { alertname: rule, instance, resource, severity, host, job: 'redis-agent' };
}

export function annotationsOf({ summary, remedy, episode }: NoticeItem): Record<string, string> {
  return { summary, description: remedy, episode: String(episode) };
}
