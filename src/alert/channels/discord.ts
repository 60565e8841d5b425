import type { DiscordChannelSettings } from '../../domain/settings/alerts.ts';
import { linkLabel, linkWords } from '../message/item.ts';
import { describeNotice, type Message } from '../message/message.ts';
import { cutLines } from '../message/text.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { failureOf, hostOf, jsonOf, never, request, urlProblem } from './http.ts';

const colours = { critical: 0xb3261e, high: 0xd9730d, warning: 0xd9b20d, info: 0x6b7280 } as const;
const green = 0x1e6b34;
/** Discord's limit for an embed's description is 4096 characters. */
const longest = 3800;

export function openDiscord(settings: DiscordChannelSettings, tools: ChannelTools): Channel {
  const { name } = settings;
  const url = tools.secret(settings.webhook, `webhook of the channel ${name}`);
  const what = `Discord (${hostOf(url.reveal())})`;
  const wrong = urlProblem(url.reveal());
  const invalid =
    wrong === undefined
      ? undefined
      : never(`the webhook of the channel ${name} ${wrong}`, 'correct it where it is kept');
  return {
    name,
    description: what,
    pace: 1100,
    async send(notice, { signal }) {
      if (invalid !== undefined) return invalid;
      const body = discordBody(describeNotice(notice, tools.context));
      const answer = await request({ url: url.reveal(), body, signal, what });
      if (!answer.ok) return answer;
      const failure = failureOf(answer, what);
      if (failure === undefined) return { ok: true, answer: `${what} answered ${answer.status}` };
      const pause = jsonOf(answer)['retry_after'];
      return typeof pause === 'number' ? { ...failure, after: failure.after ?? pause * 1000 } : failure;
    },
    async check(signal) {
      if (invalid !== undefined) return invalid;
      // The web hook's own address describes it.
      const answer = await request({ method: 'GET', url: url.reveal(), signal, what, timeout: 10_000 });
      if (!answer.ok) return answer;
      return failureOf(answer, what) ?? { ok: true, detail: `${what} knows the web hook` };
    },
    close() {},
  };
}

function discordBody({ headline, sections, footer, severity, notice }: Message): unknown {
  const entries = sections.flatMap(({ items }) =>
    items.map(({ item, state, name, summary, details }) => {
      const where = notice.kind === 'digest' ? `${escapeMarkdown(item.instance)}: ` : '';
      const lines = details.map(({ label, text }) =>
        text.startsWith('redis-agent ')
          ? `${label}: \`${text.replaceAll('`', 'ˋ')}\``
          : label === linkLabel
            ? `${label}: [${linkWords}](${text})`
            : `${label}: ${escapeMarkdown(text)}`,
      );
      return [
        `${where}**${escapeMarkdown(state)}**: ${escapeMarkdown(name)}`,
        escapeMarkdown(summary),
        ...lines,
      ].join('\n');
    }),
  );
  return {
    // Nobody is called by a name that stands in an alert.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: headline.slice(0, 256),
        description: cutLines(entries, longest, '\n\n'),
        color: severity === undefined ? green : colours[severity],
        footer: { text: footer.join(' · ').slice(0, 500) },
        timestamp: new Date(notice.at).toISOString(),
      },
    ],
  };
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\*_~`|>#[\]]/g, (character) => `\\${character}`).replaceAll('@', '@\u200b');
}
