import type { EvidenceLine, TaskState } from '../../domain/task.ts';
import type { TaskStanding } from '../../jobs/maintain/read-tasks.ts';
import type { RenderContext } from '../define-command.ts';
import type { Style } from './style.ts';
import type { Cell } from './table.ts';
import { formatAge } from './time.ts';

const every = { weekly: 'week', monthly: 'month', quarterly: 'quarter', once: 'once', own: 'own' } as const;

/** One row of the list. */
export function renderStanding(
  { task, state, dueAt, last }: TaskStanding,
  { style, now }: Pick<RenderContext, 'style' | 'now'>,
): Cell[] {
  const wrong = last?.evidence.some(({ ok }) => ok === false) === true;
  const lastText =
    last === undefined ? '' : `${last.outcome} ${formatAge(last.at, now)}${wrong ? ', look' : ''}`;
  return [
    task.id,
    every[task.rotation],
    { text: state, paint: paintOf(state, style) },
    dueAt === null || state === 'open' ? '' : formatAge(dueAt, now),
    { text: lastText, paint: wrong ? style.warning : style.faint },
  ];
}

function paintOf(state: TaskState, style: Style): (text: string) => string {
  const paints: Record<TaskState, (text: string) => string> = {
    upcoming: style.faint,
    soon: style.warning,
    due: style.warning,
    overdue: style.bad,
    done: style.good,
    open: style.warning,
  };
  return paints[state];
}

/** `ok`, `look` or `?` before what was seen. */
export function renderEvidence(lines: readonly EvidenceLine[], style: Style): Cell[][] {
  return lines.map(({ text, ok }) => [
    ok === null
      ? { text: '?', paint: style.warning }
      : ok
        ? { text: 'ok', paint: style.good }
        : { text: 'look', paint: style.bad },
    text,
  ]);
}
