import { counted } from '../../lib/text/counted.ts';
import type { RestoreReport } from '../../jobs/restore/files/look-at-server.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import { renderPlan, renderUndoPlan, type ShownPlan } from './restore-plan.ts';
import type { Style } from './style.ts';
import { renderTable } from './table.ts';

/** What would be done, for a person to decide on. */
export function renderRestorePlan(
  report: RestoreReport,
  other: ShownPlan['why_not'],
  style: Style,
  width: number,
): string {
  const { plan } = report;
  return plan === null
    ? renderUndoPlan(report, style, width)
    : renderPlan({ ...report, plan, why_not: other }, style, width);
}

/** What was done. */
export function renderRestoreReport(
  report: RestoreReport,
  other: ShownPlan['why_not'],
  style: Style,
  width: number,
): string {
  const { outcome, interrupted, proven, load, set_aside: aside, duration_seconds: seconds } = report;
  if (outcome === 'planned') return `${renderRestorePlan(report, other, style, width)}\nnothing was changed`;
  const words = {
    restored: `restored ${printable(report.plan?.backup ?? '')}`,
    undone: `undone: the data from before ${printable(report.undo?.backup ?? '')} is back`,
    finished: 'finished',
    'rolled-back': 'rolled back: the data from before is in its place',
  };
  const lines = [
    ...(interrupted === null ? [] : [printable(interrupted)]),
    `${style.good(words[outcome])} in ${formatDuration(seconds * 1000)}`,
    ...(proven === null ? [] : [`proven before: ${printable(proven)}`]),
    ...loadLines(load),
    ...(aside.length === 0 ? [] : [`the data from before is kept: ${printable(aside.join(', '))}`]),
    ...(aside.length === 0 || outcome === 'rolled-back'
      ? []
      : ['to put it back: redis-agent restore --undo']),
  ];
  return lines.join('\n');
}

function loadLines(load: RestoreReport['load']): string[] {
  if (load === null) return [];
  const rows = Object.entries(load.databases).map(([name, { expected, found }]) => [
    name,
    expected === null ? '' : String(expected),
    String(found),
  ]);
  const columns = [
    { title: 'DATABASE' },
    { title: 'BACKUP', align: 'right' as const },
    { title: 'KEYS NOW', align: 'right' as const },
  ];
  const { loaded, expired } = load;
  const said =
    loaded === null ? '' : `${counted(loaded, 'key')} loaded${expired ? `, ${expired} had expired` : ''}`;
  return [...(rows.length === 0 ? [] : [renderTable(columns, rows)]), ...(said === '' ? [] : [said])];
}
