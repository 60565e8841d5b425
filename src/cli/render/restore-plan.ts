import type { Choice } from '../../backup/restore/choose-method.ts';
import type { Guard } from '../../backup/restore/judge-guards.ts';
import type { PlanStep, UndoPlan } from '../../backup/restore/plan-restore.ts';
import type { RestoreEstimate } from '../../domain/drill.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { Style } from './style.ts';

/** What the plans of both methods say. */
export interface ShownPlan {
  instance: string;
  interrupted: string | null;
  plan: {
    method: Choice['method'];
    why: string;
    backup: string;
    snapshot_at: string;
    age_seconds: number;
    keys: number;
    bytes: number;
    server: string;
    steps: PlanStep[];
    lost: string;
    expected: RestoreEstimate | null;
    notes: string[];
    guards: Guard[];
  };
  why_not: Choice['why_not'] | null;
}

/** What would be done, for a person to decide on. */
export function renderPlan({ instance, interrupted, plan, why_not: other }: ShownPlan, style: Style): string {
  return [
    ...(interrupted === null ? [] : [style.warning(printable(interrupted))]),
    `${style.strong(`Restore ${instance} from ${plan.backup}`)}, taken ${formatDuration(plan.age_seconds * 1000)} ago: ` +
      `${plan.keys} keys, ${formatBytes(plan.bytes)}, into ${printable(plan.server)}`,
    `method ${plan.method}: ${plan.why}`,
    ...(other === null ? [] : [`not ${other.method}: ${printable(other.why)}`]),
    ...plan.steps.map(({ step, why }) => `  ${step.padEnd(8)} ${printable(why)}`),
    `lost: ${plan.lost}`,
    describeEstimate(plan.expected),
    ...plan.notes.map((note) => style.warning(`note: ${printable(note)}`)),
    ...guardLines(plan.guards, style),
  ].join('\n');
}

/** How long it should take, and how one knows. */
function describeEstimate(expected: RestoreEstimate | null): string {
  if (expected === null) return 'time: not known, since no drill has shown it: redis-agent drill';
  const { seconds, drill } = expected;
  const measured = formatDuration(drill.recovery_seconds * 1000);
  const size = formatBytes(drill.bytes);
  return `time: about ${formatDuration(seconds * 1000)}; the drill of ${printable(drill.at.slice(0, 10))} took ${measured} for ${size}`;
}

export function renderUndoPlan(
  { instance, interrupted, undo }: { instance: string; interrupted: string | null; undo: UndoPlan | null },
  style: Style,
): string {
  const before = interrupted === null ? [] : [style.warning(printable(interrupted))];
  if (undo === null) return before.join('\n');
  const what = undo.puts_back.length === 0 ? 'nothing: there was no data' : undo.puts_back.join(', ');
  return [
    ...before,
    `${style.strong(`Undo the restore of ${undo.backup}`)} on ${instance}, of ${undo.restored_at}`,
    `puts back ${printable(what)}`,
    'what is there now is set aside',
    ...guardLines(undo.guards, style),
  ].join('\n');
}

function guardLines(guards: readonly Guard[], style: Style): string[] {
  return guards.map(({ name, allowable, why, instead }) =>
    style.bad(
      `refused: ${printable(why)}; ${printable(instead)}${allowable ? `; or insist with --allow-${name}` : ''}`,
    ),
  );
}
