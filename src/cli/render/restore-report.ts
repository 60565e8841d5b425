import type { RestorePlan, UndoPlan } from '../../backup/restore/plan-restore.ts';
import type { RestoreEstimate } from '../../domain/drill.ts';
import type { RestoreReport } from '../../jobs/restore-scene.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { Style } from './style.ts';
import { renderTable } from './table.ts';

/** What would be done, for a person to decide on. */
export function renderRestorePlan(
  { instance, plan, undo, interrupted }: RestoreReport,
  style: Style,
): string {
  const before = interrupted === null ? [] : [style.warning(printable(interrupted))];
  if (undo !== null) return [...before, ...undoLines(instance, undo, style)].join('\n');
  return plan === null ? before.join('\n') : [...before, ...planLines(instance, plan, style)].join('\n');
}

function planLines(instance: string, plan: RestorePlan, style: Style): string[] {
  return [
    `${style.strong(`Restore ${instance} from ${plan.backup}`)}, taken ${formatDuration(plan.age_seconds * 1000)} ago: ` +
      `${plan.keys} keys, ${formatBytes(plan.bytes)}, into ${printable(plan.server)}`,
    `method ${plan.method}: ${plan.why}`,
    ...plan.steps.map(({ step, why }) => `  ${step.padEnd(8)} ${printable(why)}`),
    `lost: ${plan.lost}`,
    describeEstimate(plan.expected),
    ...plan.notes.map((note) => style.warning(`note: ${printable(note)}`)),
    ...guardLines(plan.guards, style),
  ];
}

/** How long it should take, and how one knows. */
export function describeEstimate(expected: RestoreEstimate | null): string {
  if (expected === null) return 'time: not known, since no drill has shown it: redis-agent drill';
  const { seconds, drill } = expected;
  const measured = formatDuration(drill.recovery_seconds * 1000);
  return (
    `time: about ${formatDuration(seconds * 1000)}, from the drill of ${printable(drill.at.slice(0, 10))} ` +
    `(${printable(drill.backup)}, ${formatBytes(drill.bytes)} in ${measured})`
  );
}

function undoLines(instance: string, plan: UndoPlan, style: Style): string[] {
  const what = plan.puts_back.length === 0 ? 'nothing: there was no data' : plan.puts_back.join(', ');
  return [
    `${style.strong(`Undo the restore of ${plan.backup}`)} on ${instance}, of ${plan.restored_at}`,
    `puts back ${printable(what)}`,
    'what is there now is set aside',
    ...guardLines(plan.guards, style),
  ];
}

function guardLines(guards: RestorePlan['guards'], style: Style): string[] {
  return guards.map(({ name, allowable, why, instead }) =>
    style.bad(
      `refused: ${printable(why)}; ${printable(instead)}${allowable ? `; or insist with --allow-${name}` : ''}`,
    ),
  );
}

/** What was done. */
export function renderRestoreReport(report: RestoreReport, style: Style): string {
  const { outcome, interrupted, proven, load, set_aside: aside, duration_seconds: seconds } = report;
  if (outcome === 'planned') return `${renderRestorePlan(report, style)}\nnothing was changed`;
  const words = {
    restored: `restored ${report.plan?.backup ?? ''}`,
    undone: `undone: the data from before ${report.undo?.backup ?? ''} is back`,
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
  const counted = loaded === null ? '' : `${loaded} keys loaded${expired ? `, ${expired} had expired` : ''}`;
  return [...(rows.length === 0 ? [] : [renderTable(columns, rows)]), ...(counted === '' ? [] : [counted])];
}
