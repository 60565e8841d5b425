import type { NoticeItem } from '../../domain/alert.ts';
import type { PagerdutyChannelSettings } from '../../domain/settings/alerts.ts';
import { describeItem } from '../message/item.ts';
import { isOver } from './alertmanager-payload.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { checkReachable, failureOf, never, request } from './http.ts';
import { iso } from './notice-document.ts';
import { sendEach } from './send-each.ts';

/** PagerDuty's Events API v2: an event for each alert, joined by its episode. */
export function openPagerduty(settings: PagerdutyChannelSettings, tools: ChannelTools): Channel {
  const { name, api } = settings;
  const key = tools.secret(settings.routing_key, `routing_key of the channel ${name}`);
  const what = 'PagerDuty';
  const { host, publicUrl } = tools.context;
  const event = (item: NoticeItem): unknown => {
    const common = {
      routing_key: key.reveal(),
      dedup_key: `redis-agent/${host}/${item.instance}/${item.episode}`.slice(0, 255),
    };
    if (isOver(item)) return { ...common, event_action: 'resolve' };
    const { state, name: title, summary, details } = describeItem(item, tools.context);
    return {
      ...common,
      event_action: 'trigger',
      client: 'redis-agent',
      ...(publicUrl === undefined ? {} : { client_url: publicUrl }),
      payload: {
        summary: `${item.instance}: ${title}: ${summary}`.slice(0, 1024),
        source: host,
        severity: item.severity === 'high' ? 'error' : item.severity,
        component: item.instance,
        group: item.instance,
        class: item.rule,
        timestamp: iso(item.fired_at),
        custom_details: { state, ...Object.fromEntries(details.map(({ label, text }) => [label, text])) },
      },
    };
  };
  return {
    name,
    description: 'PagerDuty',
    pace: 0,
    send: async (notice, { signal }) =>
      sendEach(notice, what, async (item) => {
        const answer = await request({ url: `${api}/v2/enqueue`, body: event(item), signal, what });
        if (!answer.ok) return answer;
        // 400 is about this event: the same one will not be taken either.
        if (answer.status === 400)
          return {
            ...never(
              `PagerDuty refuses the event (400)`,
              'see whether the routing key is that of an Events API v2 integration',
            ),
            again: 'refused',
          };
        return failureOf(answer, what);
      }),
    check: async (signal) => checkReachable(api, what, signal),
    close() {},
  };
}
