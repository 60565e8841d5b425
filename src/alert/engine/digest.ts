import type { Alert, Notice, NoticeItem } from '../../domain/alert.ts';
import type { AlertEvent } from './event.ts';
import { cut, itemOf } from './items.ts';

/**
 * What a channel is told once a day: the warnings, what else is open, and what fired and was over again since the last
 * one (`ended`). Undefined when there is nothing to say.
 */
export function digestOf(
  channel: string,
  events: readonly AlertEvent[],
  ended: readonly Alert[],
  now: number,
): Notice | undefined {
  const items: NoticeItem[] = events.map((event) => {
    const item = itemOf(event);
    return event.inDigest && event.change !== 'repeated' ? item : { ...item, change: asOpen(event) };
  });
  const named = new Set(items.map(({ episode }) => episode));
  for (const alert of ended) {
    const heard = alert.told.some((told) => told.channel === channel);
    if (!heard || alert.id === null || named.has(alert.id)) continue;
    items.push(
      itemOf({ alert, channel, change: 'passed', due: now, urgent: false, escalated: false, inDigest: true }),
    );
  }
  if (items.length === 0) return undefined;
  const thread = `digest-${now.toString(36)}`;
  return { key: '', kind: 'digest', channel, instance: '', thread, title: 'digest', at: now, ...cut(items) };
}

/** What is told by itself is only named here. */
function asOpen({ change }: AlertEvent): NoticeItem['change'] {
  return change === 'resolved' || change === 'passed' ? change : 'open';
}
