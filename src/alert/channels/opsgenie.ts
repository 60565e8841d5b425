import type { NoticeItem } from '../../domain/alert.ts';
import type { OpsgenieChannelSettings } from '../../domain/settings/alerts.ts';
import { describeItem } from '../message/item.ts';
import { isOver } from './alertmanager-payload.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { checkReachable, failureOf, request } from './http.ts';
import { sendEach } from './send-each.ts';

const priorities = { critical: 'P1', high: 'P2', warning: 'P3', info: 'P5' } as const;

/** Opsgenie's alert API, and what speaks it. */
export function openOpsgenie(settings: OpsgenieChannelSettings, tools: ChannelTools): Channel {
  const { name, api } = settings;
  const key = tools.secret(settings.api_key, `api_key of the channel ${name}`);
  const what = 'Opsgenie';
  const headers = { authorization: `GenieKey ${key.reveal()}` };
  const { host } = tools.context;
  const aliasOf = (item: NoticeItem): string =>
    `redis-agent/${host}/${item.instance}/${item.episode}`.slice(0, 512);
  const body = (item: NoticeItem): unknown => {
    const { state, name: title, summary, details } = describeItem(item, tools.context);
    return {
      message: `${item.instance}: ${title}`.slice(0, 130),
      alias: aliasOf(item),
      description: [`${state}: ${summary}`, ...details.map(({ label, text }) => `${label}: ${text}`)]
        .join('\n')
        .slice(0, 15_000),
      entity: item.resource.slice(0, 512),
      source: `redis-agent on ${host}`.slice(0, 100),
      priority: priorities[item.severity],
      tags: ['redis-agent', item.rule, item.instance].map((tag) => tag.slice(0, 50)),
    };
  };
  return {
    name,
    description: what,
    pace: 0,
    send: async (notice, { signal }) =>
      sendEach(notice, what, async (item) => {
        const close = `${api}/v2/alerts/${encodeURIComponent(aliasOf(item))}/close?identifierType=alias`;
        const answer = await request(
          isOver(item)
            ? { url: close, headers, body: { source: `redis-agent on ${host}`.slice(0, 100) }, signal, what }
            : { url: `${api}/v2/alerts`, headers, body: body(item), signal, what },
        );
        if (!answer.ok) return answer;
        // Somebody has closed it already.
        return isOver(item) && answer.status === 404 ? undefined : failureOf(answer, what);
      }),
    check: async (signal) => checkReachable(api, what, signal),
    close() {},
  };
}
