import type { NtfyChannelSettings } from '../../domain/settings/alerts.ts';
import { linkLabel, linkWords } from '../message/item.ts';
import { describeNotice, type Message } from '../message/message.ts';
import { renderShort } from '../message/text.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { checkReachable, failureOf, hostOf, request } from './http.ts';

const priorities = { critical: 5, high: 4, warning: 3, info: 2 } as const;
const tags = {
  critical: 'rotating_light',
  high: 'red_circle',
  warning: 'warning',
  info: 'information_source',
} as const;
/** ntfy makes an attachment of longer ones: 4096 bytes, of which a character may take three. */
const longest = 1300;

/** A notification on a phone, by ntfy.sh or a server of one's own. */
export function openNtfy(settings: NtfyChannelSettings, tools: ChannelTools): Channel {
  const { name, server, topic, token } = settings;
  const where =
    typeof topic === 'string' ? topic : tools.secret(topic, `topic of the channel ${name}`).reveal();
  const key = token && tools.secret(token, `token of the channel ${name}`);
  const what = `ntfy at ${hostOf(server)}`;
  return {
    name,
    description: what,
    pace: 1000,
    async send(notice, { signal }) {
      const message = describeNotice(notice, tools.context);
      const { title, body } = renderShort(message, longest);
      const { severity } = message;
      const answer = await request({
        url: server,
        headers: key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` },
        body: {
          topic: where,
          title,
          message: body,
          priority: severity === undefined ? 3 : priorities[severity],
          tags: [severity === undefined ? 'white_check_mark' : tags[severity]],
          ...(tools.context.publicUrl === undefined ? {} : { click: tools.context.publicUrl }),
          ...actionsOf(message),
        },
        signal,
        what,
      });
      if (!answer.ok) return answer;
      return failureOf(answer, what) ?? { ok: true, answer: `${what} answered ${answer.status}` };
    },
    check: async (signal) => checkReachable(server, what, signal),
    close() {},
  };
}

/** A button below the notification, where it is about one alert: of several it would not say which. */
function actionsOf({ sections }: Message): { actions?: unknown[] } {
  const [item, ...others] = sections.flatMap(({ items }) => items);
  const url = item?.details.find(({ label }) => label === linkLabel)?.text;
  if (url === undefined || others.length > 0) return {};
  return { actions: [{ action: 'view', label: linkWords, url }] };
}
