import type { TeamsChannelSettings } from '../../domain/settings/alerts.ts';
import { linkLabel, linkWords } from '../message/item.ts';
import { describeNotice, type Message } from '../message/message.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { checkReachable, failureOf, hostOf, never, request, urlProblem } from './http.ts';

const colours = { critical: 'attention', high: 'attention', warning: 'warning', info: 'default' } as const;
/** Teams takes 28 KB; a card may take so many bytes. */
const mostBytes = 24_000;
const longestText = 1000;

/** An Adaptive Card to the address of a Workflow ("When a Teams webhook request is received"). */
export function openTeams(settings: TeamsChannelSettings, tools: ChannelTools): Channel {
  const { name } = settings;
  const url = tools.secret(settings.webhook, `webhook of the channel ${name}`);
  const host = hostOf(url.reveal());
  const what = `Teams (${host})`;
  const wrong = urlProblem(url.reveal());
  const retired = /(?:^|\.)webhook\.office\.com$|^outlook\.office\.com$/.test(host);
  const invalid =
    wrong !== undefined
      ? never(`the webhook of the channel ${name} ${wrong}`, 'correct it where it is kept')
      : retired
        ? never(
            `the webhook of the channel ${name} is an Office 365 connector (${host.split('.').slice(-3).join('.')}), which Microsoft has retired`,
            'make a Workflow "When a Teams webhook request is received", and use its address',
          )
        : undefined;
  return {
    name,
    description: what,
    pace: 1000,
    async send(notice, { signal }) {
      if (invalid !== undefined) return invalid;
      const answer = await request({
        url: url.reveal(),
        body: teamsBody(describeNotice(notice, tools.context)),
        signal,
        what,
      });
      if (!answer.ok) return answer;
      return failureOf(answer, what) ?? { ok: true, answer: `${what} answered ${answer.status}` };
    },
    check: async (signal) => invalid ?? checkReachable(url.reveal(), what, signal),
    close() {},
  };
}

function teamsBody({ headline, sections, footer, severity, notice }: Message): unknown {
  const items = sections.flatMap((section) => section.items);
  const containers: unknown[] = [];
  let bytes = 0;
  for (const { item, state, name, summary, details, over } of items) {
    const where = notice.kind === 'digest' ? `${item.instance}: ` : '';
    const facts = details.map(({ label, text: value }) => ({
      title: label,
      value: label === linkLabel ? `[${linkWords}](${value})` : escapeCard(value).slice(0, longestText),
    }));
    const container = {
      type: 'Container',
      separator: true,
      items: [
        text(`${where}${state}: ${name}`, {
          weight: 'bolder',
          color: over ? 'good' : colours[item.severity],
        }),
        text(summary),
        { type: 'FactSet', facts },
      ],
    };
    bytes += Buffer.byteLength(JSON.stringify(container));
    if (bytes > mostBytes) break;
    containers.push(container);
  }
  const left = items.length - containers.length + notice.more;
  const body = [
    text(headline, {
      weight: 'bolder',
      size: 'medium',
      color: severity === undefined ? 'good' : colours[severity],
    }),
    ...containers,
    ...(left > 0 ? [text(`+${left} more: redis-agent alerts list`)] : []),
    text(footer.filter((line) => !line.startsWith('and ')).join(' · '), { isSubtle: true, size: 'small' }),
  ];
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body,
  };
  return {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
    ],
  };
}

function text(value: string, more: object = {}): unknown {
  return { type: 'TextBlock', text: escapeCard(value).slice(0, longestText), wrap: true, ...more };
}

/** What a card would take for Markdown. */
function escapeCard(value: string): string {
  return value.replaceAll(/[\\*_[\]]/g, (character) => `\\${character}`);
}
