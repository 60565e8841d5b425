import { printable } from '../lib/text/printable.ts';
import { describe } from './charts/line-chart.ts';
import type { Block, ReportDocument, Table } from './document.ts';
import { formatMoment } from './model/format.ts';

/** Longest cell of a table; a line of a mail should not be folded. */
const widest = 44;

/** The same report as plain text. */
export function renderText(report: ReportDocument, timezone: string): string {
  const { title, subtitle, verdict, sections, notes } = report;
  const lines = [
    title,
    subtitle,
    '',
    verdict.headline,
    ...verdict.points.flatMap(({ text, advice }) => [
      `- ${text}`,
      ...(advice === null ? [] : [`  ${advice}`]),
    ]),
    ...(verdict.next.length < 2 ||
    verdict.next.every((step) =>
      verdict.points.some(({ advice }) => advice !== null && step.endsWith(advice)),
    )
      ? []
      : ['', 'Next:', ...verdict.next.map((step, index) => `${index + 1}. ${step}`)]),
    ...sections.flatMap(({ title: name, blocks }) => [
      '',
      name,
      '-'.repeat(name.length),
      ...blocks.flatMap((block) => renderBlock(block, timezone)),
    ]),
    '',
    ...notes,
  ];
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}

function renderBlock(block: Block, timezone: string): string[] {
  switch (block.kind) {
    case 'text':
      return [block.text];
    case 'heading':
      return ['', block.text];
    case 'figures':
      return block.figures.map(
        ({ label, value, note }) => `${label}: ${value}${note === null ? '' : ` (${note})`}`,
      );
    case 'table':
      return ['', ...renderTable(block.table)];
    case 'chart':
      return [describe(block.chart, timezone)];
    case 'timeline':
  }
  return block.timeline.marks
    .filter(({ at }) => at >= block.timeline.from && at <= block.timeline.to)
    .slice(-10)
    .map(({ at, label }) => `${formatMoment(at, timezone)}  ${label}`);
}

function renderTable({ caption, columns, rows, empty }: Table): string[] {
  if (rows.length === 0) return [`${caption}: ${empty}`];
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => row.map(({ text }) => cut(printable(text)))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const write = (row: string[]): string =>
    row
      .map((text, index) =>
        columns[index]?.align === 'right'
          ? text.padStart(widths[index] ?? 0)
          : text.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [`${caption}:`, ...cells.map(write)];
}

function cut(text: string): string {
  return text.length <= widest ? text : `${text.slice(0, widest - 1)}…`;
}
