import type { Notice, NoticeItem, ReportNotice } from '../../domain/alert.ts';
import { severities, type Severity } from '../../domain/finding.ts';
import { printable } from '../../lib/text/printable.ts';
import { describeItem, formatTime, type ItemText, type MessageContext } from './item.ts';

/** A notice in words, before it takes the form of any channel. */
export interface Message {
  notice: Notice;
  /** The same for all messages of a thread. */
  subject: string;
  /** What is new, in one line: `main: CRITICAL backup-failed`. */
  headline: string;
  /** The worst that is open; undefined when everything is over. */
  severity: Severity | undefined;
  sections: { heading: string; items: ItemText[] }[];
  /** What the message ends with. */
  footer: string[];
  /** In place of sections, where it is a report: safe to be shown as text. */
  report?: ReportNotice;
}

const headings: [heading: string, changes: readonly NoticeItem['change'][]][] = [
  ['New', ['fired', 'raised', 'flapping']],
  ['Still open', ['repeated', 'open']],
  ['Over', ['resolved', 'passed']],
];

export function describeNotice(notice: Notice, context: MessageContext): Message {
  const { kind, instance, title, items, more, report } = notice;
  if (report !== undefined) return describeReport(notice, report, context);
  const where = kind === 'digest' ? 'digest' : instance;
  const texts = items.map((item) => describeItem(item, context, context.link?.(item, notice)));
  const open = items.filter(({ change }) => change !== 'resolved' && change !== 'passed');
  const severity = severities.findLast((each) => open.some((item) => item.severity === each));
  const test = kind === 'test' ? 'TEST ' : '';
  const footer = [
    ...(more > 0 ? [`and ${more} more: redis-agent alerts list`] : []),
    ...footerOf(notice, context),
  ];
  return {
    notice,
    subject: printable(
      `[redis-agent] ${test}${kind === 'digest' ? `digest of ${context.host}` : `${instance}: ${title}`}`,
    ),
    headline: printable(`${test}${where}: ${headlineOf(texts, more)}`),
    severity,
    sections: headings
      .map(([heading, changes]) => ({
        heading,
        items: texts.filter(({ item }) => changes.includes(item.change)),
      }))
      .filter((section) => section.items.length > 0),
    footer: footer.map((line) => printable(line)),
  };
}

function headlineOf(texts: readonly ItemText[], more: number): string {
  const [first] = texts;
  if (first === undefined) return 'nothing';
  const others = texts.length - 1 + more;
  return `${first.state} ${first.name}${others > 0 ? ` and ${others} more` : ''}`;
}

function footerOf({ at }: Notice, { host, timezone, publicUrl }: MessageContext): string[] {
  return [
    `redis-agent on ${host}, ${formatTime(at, timezone)} ${timezone}`,
    ...(publicUrl === undefined ? [] : [publicUrl]),
  ];
}

function describeReport(notice: Notice, report: ReportNotice, context: MessageContext): Message {
  return {
    notice,
    subject: printable(`[redis-agent] ${notice.title}: ${report.headline}`),
    headline: printable(`${report.title}: ${report.headline}`),
    severity: report.severity ?? undefined,
    sections: [],
    footer: footerOf(notice, context).map((line) => printable(line)),
    report: {
      ...report,
      title: printable(report.title),
      subtitle: printable(report.subtitle),
      headline: printable(report.headline),
      points: report.points.map(({ text, advice }) => ({
        text: printable(text),
        advice: advice === null ? null : printable(advice),
      })),
      figures: report.figures.map(({ name, values }) => ({
        name: printable(name),
        values: values.map(({ label, value }) => ({ label, value: printable(value) })),
      })),
    },
  };
}
