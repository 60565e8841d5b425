import { counted } from '../../lib/text/counted.ts';
import type { Choice } from '../../backup/restore/choose-method.ts';
import { flagOf, type Guard } from '../../backup/restore/judge-guards.ts';
import type { Plan, UndoPlan } from '../../backup/restore/plan-restore.ts';
import type { RestoreEstimate } from '../../domain/drill.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

/** What the plans of both methods say. */
export interface ShownPlan {
  instance: string;
  interrupted: string | null;
  plan: Plan;
  why_not: Choice['why_not'] | null;
}

/** Longer lines are hard to read, however wide the terminal is. */
const widest = 100;
/** Of a plan that is shown before a question. */
export const shownWidth = 80;

/** What would be done, for a person to decide on. */
export function renderPlan(
  { instance, interrupted, plan, why_not: other }: ShownPlan,
  style: Style,
  width: number,
): string {
  const lines = linesIn(width);
  return [
    ...(interrupted === null ? [] : lines(printable(interrupted)).map(style.warning)),
    style.strong(`Restore ${instance} from ${printable(plan.backup)}`),
    ...lines(
      `taken ${formatDuration(plan.age_seconds * 1000)} ago: ${counted(plan.keys, 'key')}, ${formatBytes(plan.bytes)}, ` +
        `into ${printable(plan.server)}`,
    ),
    ...lines(`method ${plan.method}: ${plan.why}`),
    ...(other === null ? [] : lines(`not ${other.method}: ${printable(other.why)}`)),
    ...plan.steps.flatMap(({ step, why }) => lines(printable(why), `  ${step.padEnd(8)} `)),
    ...lines(`lost: ${plan.lost}`),
    ...lines(describeEstimate(plan.expected)),
    ...plan.notes.flatMap((note) => lines(`note: ${printable(note)}`).map(style.warning)),
    ...guardLines(plan.guards, style, lines),
  ].join('\n');
}

type Lines = (text: string, label?: string) => string[];

/** Breaks what is said into lines; those after the first are set in, behind a label as far as it is long. */
function linesIn(width: number): Lines {
  return (text, label = '') => {
    const margin = label === '' ? 2 : label.length;
    const [first = '', ...others] = wrap(text, Math.min(width, widest) - margin).split('\n');
    return [`${label}${first}`, ...others.map((line) => `${' '.repeat(margin)}${line}`)];
  };
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
  width: number,
): string {
  const lines = linesIn(width);
  const before = interrupted === null ? [] : lines(printable(interrupted)).map(style.warning);
  if (undo === null) return before.join('\n');
  const what = undo.puts_back.length === 0 ? 'nothing: there was no data' : undo.puts_back.join(', ');
  return [
    ...before,
    `${style.strong(`Undo the restore of ${printable(undo.backup)}`)} on ${instance}, of ${undo.restored_at}`,
    ...lines(`puts back ${printable(what)}`),
    'what is there now is set aside',
    ...guardLines(undo.guards, style, lines),
  ].join('\n');
}

function guardLines(guards: readonly Guard[], style: Style, lines: Lines): string[] {
  return guards.flatMap(({ name, allowable, why, instead }) =>
    lines(
      `refused: ${printable(why)}; ${printable(instead)}${allowable ? `; or insist with ${flagOf(name)}` : ''}`,
    ).map(style.bad),
  );
}
