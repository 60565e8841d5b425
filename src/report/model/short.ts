import type { ReportNotice } from '../../domain/alert.ts';
import type { ReportDocument, Table, Tone } from '../document.ts';

/** Instances that a message shows. */
const most = 30;
const severityOf = { good: null, none: null, warning: 'warning', bad: 'critical' } as const satisfies Record<
  Tone,
  unknown
>;

/** A document in short, as a message tells it: its verdict, and a row of figures each for what it is about. */
export function shortOf(
  { title, subtitle, verdict }: ReportDocument,
  table: Table,
  files: ReportNotice['files'],
): ReportNotice {
  const { columns, rows } = table;
  const figures = rows.slice(0, most).map(([name, ...cells]) => ({
    name: name?.text ?? '',
    values: cells.map(({ text }, index) => ({ label: columns[index + 1]?.title ?? '', value: text })),
  }));
  const more = rows.length - figures.length;
  return {
    title,
    subtitle,
    severity: severityOf[verdict.tone],
    headline: verdict.headline,
    points: verdict.points.map(({ text, advice }) => ({ text, advice })),
    figures:
      more === 0
        ? figures
        : [...figures, { name: `and ${more} more`, values: [{ label: 'See', value: 'the attached page' }] }],
    files,
  };
}
