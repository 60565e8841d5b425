/** What one kind of queue says in one round of commands. */
export interface RawQueue {
  waiting: number;
  active: number;
  delayed: number;
  overdue: number;
  prioritized: number;
  children: number;
  failed: number;
  completed: number;
  paused: boolean;
  limited: boolean;
  overdueSince: number | null;
  /** Since when its oldest job is due, where that can be told without another question. */
  dueSince: number | null;
  oldestName: string | null;
  /** Ids of jobs to look at: the next ones to be taken, and the oldest that are worked on. */
  nextIds: readonly string[];
  activeIds: readonly string[];
  /** Changes whenever a job is taken. */
  signature: string;
  /** Was something taken, as far as the ends tell? null: the signature decides. */
  moved: boolean | null;
  added: number | null;
  newCompleted: number;
  newFailed: number;
  lastCompleted: number;
  lastFailed: number;
  oldestCompleted: number | null;
  oldestFailed: number | null;
  /** Of a stream. */
  workers: number | null;
}
