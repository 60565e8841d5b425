import type { ItemText } from '../message/item.ts';
import type { Message } from '../message/message.ts';

/** Slack's own limits. */
const mostBlocks = 50;
const longestHeader = 150;
const longestSection = 3000;

/** A message in Slack's Block Kit: a header, a section an alert as far as they fit, a context. */
export function slackBlocks({ headline, sections, footer, notice }: Message): unknown[] {
  const items = sections.flatMap((each) => each.items);
  const room = mostBlocks - 3;
  const shown = items.slice(0, room);
  const left = items.length - shown.length + notice.more;
  return [
    { type: 'header', text: { type: 'plain_text', text: shorten(headline, longestHeader), emoji: false } },
    ...shown.map((item) => section(itemText(item, notice.kind === 'digest'))),
    ...(left > 0 ? [section(`+${left} more: \`redis-agent alerts list\``)] : []),
    {
      type: 'context',
      elements: [
        {
          type: 'mrkdwn',
          text: shorten(
            escapeSlack(footer.filter((line) => !line.startsWith('and ')).join(' · ')),
            longestSection,
          ),
        },
      ],
    },
  ];
}

function itemText({ item, state, name, summary, details, over }: ItemText, withInstance: boolean): string {
  const where = withInstance ? `${escapeSlack(item.instance)}: ` : '';
  const mark = over
    ? ':large_green_circle:'
    : {
        critical: ':red_circle:',
        high: ':large_orange_circle:',
        warning: ':large_yellow_circle:',
        info: ':white_circle:',
      }[item.severity];
  const lines = details.map(({ label, text }) =>
    text.startsWith('redis-agent ')
      ? `${label}: \`${escapeSlack(text).replaceAll('`', 'ˋ')}\``
      : `${label}: ${escapeSlack(text)}`,
  );
  return [
    `${mark} ${where}*${escapeSlack(state)}*: ${escapeSlack(name)}`,
    escapeSlack(summary),
    ...lines,
  ].join('\n');
}

function section(text: string): unknown {
  return { type: 'section', text: { type: 'mrkdwn', text: shorten(text, longestSection) } };
}

/** What else would be a link, a mention or an entity. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function shorten(text: string, limit: number): string {
  // An entity that is cut in half is shown as it is.
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/&[a-z]*$/, '')}…`;
}
