/** How often a rotation comes round; `once` is the go-live list, `own` a task from the configuration. */
export const rotations = ['weekly', 'monthly', 'quarterly', 'once', 'own'] as const;
export type Rotation = (typeof rotations)[number];

/**
 * When a task is due: at the moments of a cron expression; so long after it was last done; when the job whose run is its
 * evidence has not run by its own schedule; or once.
 */
export type Due =
  | { kind: 'schedule'; cron: string }
  | { kind: 'after'; ms: number }
  | { kind: 'job'; job: string; cron: string }
  | { kind: 'once' };

/** One item of the maintenance rotations. */
export interface Task {
  /** As typed: `memory-trend`. */
  id: string;
  title: string;
  rotation: Rotation;
  due: Due;
  /** Who does it: the agent on its own, a scheduled job, or a person with the steps. */
  by: 'agent' | 'job' | 'person';
  /** Why it is in the rotation, one sentence. */
  why: string;
  /** What to type or look at, in order. */
  steps: readonly string[];
}

/** What happened to a task. Times are milliseconds since the epoch. */
export interface TaskEntry {
  task: string;
  outcome: 'done' | 'skipped';
  at: number;
  /** Who: a user of the host, or `redis-agent`. */
  by: string;
  /** The note or the reason, one line. */
  note: string;
  /** What it came to, a line each. */
  evidence: readonly EvidenceLine[];
}

/** One thing seen, and whether it is as it should be; null where that could not be judged. */
export interface EvidenceLine {
  text: string;
  ok: boolean | null;
}

/** Whether there was nothing that could be judged: such a look is no task done. */
export function nothingSeen(evidence: readonly EvidenceLine[]): boolean {
  return evidence.length > 0 && evidence.every(({ ok }) => ok === null);
}

export type TaskState = 'upcoming' | 'soon' | 'due' | 'overdue' | 'done' | 'open';
