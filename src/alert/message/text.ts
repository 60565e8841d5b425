import type { ReportNotice } from '../../domain/alert.ts';
import type { ItemText } from './item.ts';
import type { Message } from './message.ts';

const labelWidth = 7;

/** The message as text of so many columns, for e-mail and terminals. */
export function renderText(message: Message, width = 76): string {
  if (message.report !== undefined) return reportText(message, message.report, width);
  const several = message.sections.length > 1 || message.notice.kind === 'digest';
  const blocks = message.sections.map(({ heading, items }) => {
    const texts = items.map((item) => itemText(item, width, message.notice.kind === 'digest'));
    return several ? `${heading}\n${'-'.repeat(heading.length)}\n${texts.join('\n\n')}` : texts.join('\n\n');
  });
  return [message.headline, ...blocks, message.footer.join('\n')].join('\n\n');
}

/** The same words as the HTML has (report-html.ts). */
function reportText({ footer }: Message, report: ReportNotice, width: number): string {
  const { title, subtitle, headline, points, figures, files } = report;
  const blocks = [
    [title, ...wrapWords(subtitle, width)],
    wrapWords(headline, width),
    points.flatMap(({ text, advice }) => [
      ...wrapWords(text, width - 2).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`),
      ...(advice === null ? [] : wrapWords(advice, width - 2).map((line) => `  ${line}`)),
    ]),
    ...figures.map(({ name, values }) => {
      const widest = Math.max(...values.map(({ label }) => label.length));
      return [name, ...values.map(({ label, value }) => `  ${label.padEnd(widest)}  ${value}`)];
    }),
    files.length === 0 ? [] : ['Attached:', ...files.map(({ name, what }) => `  ${name}: ${what}`)],
    footer,
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function itemText(
  { item, state, name, summary, details }: ItemText,
  width: number,
  withInstance: boolean,
): string {
  const where = withInstance ? `${item.instance}: ` : '';
  return [
    ...wrapWords(`${where}${state}: ${name}`, width),
    ...wrapWords(summary, width - 2).map((line) => `  ${line}`),
    ...details.flatMap(({ label, text }) =>
      wrapWords(text, width - labelWidth - 2).map(
        (line, index) => `  ${(index === 0 ? label : '').padEnd(labelWidth)}${line}`,
      ),
    ),
  ].join('\n');
}

/** A blank that no unit follows: `91 %`, `1m 05s` and `4.0 MiB` stay together. */
const breakable = / (?!%|\d\d[smh]\b|[KMGT]?i?B\b)/;

/** Lines of at most `width` columns, broken at blanks; a longer word stays whole, so that it can be copied. */
function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(breakable)) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** For a phone: the title says what is new, the body little more. */
export function renderShort(message: Message, limit: number): { title: string; body: string } {
  const lines = message.sections.flatMap(({ items }) =>
    items.map(({ item, state, name, summary, over, details }) => {
      const first = message.notice.items.length > 1 ? `${state}: ${name}: ` : '';
      const when = over ? details.find(({ label }) => label === 'when')?.text : undefined;
      const advice = over || item.change === 'open' ? '' : `\n→ ${item.remedy}`;
      return `${first}${summary}${when === undefined ? '' : `\n${when}`}${advice}`;
    }),
  );
  return { title: message.headline, body: cutLines([...lines, ...moreLine(message)], limit) };
}

function moreLine({ notice }: Message): string[] {
  return notice.more > 0 ? [`+${notice.more} more`] : [];
}

/** As many whole entries as fit into `limit` characters, and `+N more` for the rest. */
export function cutLines(entries: readonly string[], limit: number, join = '\n'): string {
  let text = '';
  for (const [index, entry] of entries.entries()) {
    const rest = `${join}+${entries.length - index} more`;
    const next = text === '' ? entry : `${text}${join}${entry}`;
    const last = index === entries.length - 1;
    if (next.length + (last ? 0 : rest.length) > limit)
      return text === ''
        ? `${entry.slice(0, Math.max(0, limit - rest.length - 1))}…${last ? '' : rest}`
        : `${text}${rest}`;
    text = next;
  }
  return text;
}
