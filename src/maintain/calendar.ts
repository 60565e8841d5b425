import type { Due, TaskState } from '../domain/task.ts';

const day = 24 * 60 * 60 * 1000;

/** What the calendar needs to know of a task. Times are milliseconds since the epoch. */
export interface TaskHistory {
  /** When the agent first knew of it: nothing is due that was missed before. */
  firstSeen: number;
  /** When it was done or skipped, ascending. */
  entries: readonly number[];
}

/** When a task is due. */
export interface Standing {
  state: TaskState;
  /** null: it has been done, and once is enough; or its schedule has no further moment. */
  dueAt: number | null;
  /** Whole days since it was due; 0 until then. */
  overdueDays: number;
}

/** The first moment of a cron expression after another; undefined when there is none. */
export type NextMoment = (cron: string, after: number) => number | undefined;

/** A due task is overdue after this share of its period, and no later than a week. */
const graceShare = 1 / 7;
const longestGrace = 7 * day;
/** Notices before a task that counts from its last time is due: the first opens it. */
const noticeDays: readonly number[] = [14, 7, 1];

/**
 * Where a task stands now. Counts forward from what was done: a task that was missed for a year is due once and not
 * fifty times, and one that was done up to half a period early is not asked for again at once.
 */
export function standingOf(due: Due, history: TaskHistory, now: number, next: NextMoment): Standing {
  if (due.kind === 'once')
    return history.entries.length > 0
      ? { state: 'done', dueAt: null, overdueDays: 0 }
      : { state: 'open', dueAt: history.firstSeen, overdueDays: 0 };
  if (due.kind === 'after') {
    const last = history.entries.at(-1) ?? history.firstSeen;
    return standAt(last + due.ms, due.ms, now, true);
  }
  const { at, period } = scheduledDue(due.cron, history, next);
  return at === undefined
    ? { state: 'upcoming', dueAt: null, overdueDays: 0 }
    : standAt(at, period, now, false);
}

function scheduledDue(
  cron: string,
  { firstSeen, entries }: TaskHistory,
  next: NextMoment,
): { at: number | undefined; period: number } {
  let at = next(cron, firstSeen);
  let period = periodAfter(cron, at, next);
  for (const entry of entries) {
    if (at === undefined) break;
    // Longer before than half a period: something done besides.
    if (entry < at - period / 2) continue;
    at = next(cron, Math.max(entry, at));
    period = periodAfter(cron, at, next);
  }
  return { at, period };
}

function periodAfter(cron: string, at: number | undefined, next: NextMoment): number {
  const following = at === undefined ? undefined : next(cron, at);
  return at === undefined || following === undefined ? 7 * day : following - at;
}

function standAt(dueAt: number, period: number, now: number, noticed: boolean): Standing {
  const late = now - dueAt;
  if (late < 0) {
    const near = noticed && -late <= Math.max(...noticeDays) * day;
    return { state: near ? 'soon' : 'upcoming', dueAt, overdueDays: 0 };
  }
  const grace = Math.min(period * graceShare, longestGrace);
  return { state: late >= grace ? 'overdue' : 'due', dueAt, overdueDays: Math.floor(late / day) };
}
