import type { ReportNotice } from '../../domain/alert.ts';
import { linkLabel, linkWords, type ItemText } from '../message/item.ts';
import type { Message } from '../message/message.ts';

/** Slack's own limits. */
const mostBlocks = 50;
const longestHeader = 150;
const longestSection = 3000;

/** A message in Slack's Block Kit: a header, a section an alert as far as they fit, a context. */
export function slackBlocks({ headline, sections, footer, notice, report }: Message): unknown[] {
  if (report !== undefined) return reportBlocks(headline, report, footer);
  const items = sections.flatMap((each) => each.items);
  const room = mostBlocks - 3;
  const shown = items.slice(0, room);
  const left = items.length - shown.length + notice.more;
  return [
    { type: 'header', text: { type: 'plain_text', text: shorten(headline, longestHeader), emoji: false } },
    ...shown.map((item) => section(itemText(item, notice.kind === 'digest'))),
    ...(left > 0 ? [section(`+${left} more: \`redis-agent alerts list\``)] : []),
    contextOf(footer.filter((line) => !line.startsWith('and '))),
  ];
}

function contextOf(lines: readonly string[]): unknown {
  const text = shorten(escapeSlack(lines.join(' · ')), longestSection);
  return { type: 'context', elements: [{ type: 'mrkdwn', text }] };
}

/** The verdict: what is wrong, and the figures of each instance. */
function reportBlocks(headline: string, report: ReportNotice, footer: readonly string[]): unknown[] {
  const { subtitle, severity, points, figures } = report;
  const mark = severity === null ? ':large_green_circle:' : marks[severity];
  const room = mostBlocks - 4;
  const lines = points.map(
    ({ text, advice }) => `• ${escapeSlack(text)}${advice === null ? '' : `\n   ${escapeSlack(advice)}`}`,
  );
  return [
    { type: 'header', text: { type: 'plain_text', text: shorten(headline, longestHeader), emoji: false } },
    section(`${mark} ${[`*${escapeSlack(report.headline)}*`, ...lines].join('\n')}`),
    ...figures
      .slice(0, room)
      .map(({ name, values }) =>
        section(
          `*${escapeSlack(name)}*\n${values.map(({ label, value }) => `${label}: ${escapeSlack(value)}`).join(' · ')}`,
        ),
      ),
    ...(figures.length > room ? [section(`+${figures.length - room} more: \`redis-agent report\``)] : []),
    contextOf([subtitle, ...footer]),
  ];
}

const marks = {
  critical: ':red_circle:',
  high: ':large_orange_circle:',
  warning: ':large_yellow_circle:',
  info: ':white_circle:',
};

function itemText({ item, state, name, summary, details, over }: ItemText, withInstance: boolean): string {
  const where = withInstance ? `${escapeSlack(item.instance)}: ` : '';
  const mark = over ? ':large_green_circle:' : marks[item.severity];
  const lines = details.map(({ label, text }) =>
    text.startsWith('redis-agent ')
      ? `${label}: \`${escapeSlack(text).replaceAll('`', 'ˋ')}\``
      : label === linkLabel
        ? `${label}: <${escapeSlack(text).replaceAll('|', '%7C')}|${linkWords}>`
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
