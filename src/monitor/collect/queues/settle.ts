import { queueLabel, type QueueReading, type QueueRef } from '../../../domain/queue.ts';
import type { QueueMemory } from '../parts/collector.ts';
import type { RawQueue } from '../parts/raw-queue.ts';

/** What the jobs that were looked at told. */
export interface JobsSeen {
  /** Since when the next ones have been due, the oldest first. */
  next: readonly { id: string; name: string | null; due: number }[];
  /** Of the oldest active ones; `since` they are worked on. */
  active: readonly { id: string; held: boolean; since: number | null }[];
}

export const nothingSeen: JobsSeen = { next: [], active: [] };

/** Brings what was read together with what was seen before: since when nothing is done although something is due. */
export function settle(
  ref: QueueRef,
  raw: RawQueue,
  jobs: JobsSeen,
  { memory, now, workers }: { memory: QueueMemory | undefined; now: number; workers: number | null },
): { reading: QueueReading; memory: QueueMemory } {
  const before = memory?.reading;
  const changed = memory !== undefined && memory.signature !== raw.signature;
  const ended = countEnded(raw, memory, changed);
  const streamHangs = ref.kind === 'stream' ? raw.activeIds.length : 0;
  const lost = jobs.active.filter(({ held }) => !held);
  const due = raw.waiting + raw.prioritized + raw.overdue + lost.length + streamHangs;
  const halted = raw.paused || raw.limited;
  const moved = raw.moved ?? false;
  const took = ended.completed + ended.failed > 0 || moved;
  const floor = due === 0 || halted ? now : (memory?.floor ?? null);

  const starts = [
    ...jobs.next.map((job) => job.due),
    ...lost.flatMap(({ since }) => since ?? []),
    ...[raw.overdueSince, raw.dueSince].filter((at) => at !== null),
  ];
  const kept = !changed && !moved ? (before?.dueSince ?? null) : null;
  const earliest = starts.length === 0 ? kept : Math.min(...starts);
  const dueSince =
    due === 0 ? null : earliest === null ? (memory?.floor ?? null) : Math.max(earliest, memory?.floor ?? 0);
  const last = Math.max(raw.lastCompleted, raw.lastFailed, took ? now : 0, before?.finishedAt ?? 0);
  const finishedAt = last === 0 ? null : Math.min(last, now);
  const since = Math.max(finishedAt ?? 0, dueSince ?? 0, memory?.floor ?? 0);
  const idleSince = due === 0 || halted ? null : since > 0 ? since : (before?.idleSince ?? now);

  const oldest = jobs.next.toSorted((a, b) => a.due - b.due)[0];
  const stalled = lost.filter(({ id }) => memory?.abandoned.includes(id) !== true).length;
  const bull = ref.kind === 'bull' || ref.kind === 'bullmq';
  const looked = bull && (jobs.active.length > 0 || raw.active === 0);
  const reading: QueueReading = {
    label: queueLabel(ref),
    ref,
    waiting: raw.waiting,
    active: raw.active,
    delayed: raw.delayed,
    overdue: raw.overdue,
    prioritized: raw.prioritized,
    children: raw.children,
    failed: raw.failed,
    completed: raw.completed,
    paused: raw.paused,
    limited: raw.limited,
    workers,
    due,
    dueSince,
    oldestId: oldest?.id ?? null,
    oldestName: oldest?.name ?? raw.oldestName,
    overdueSince: raw.overdueSince,
    held: looked ? jobs.active.filter(({ held }) => held).length : null,
    abandoned: looked ? lost.length : null,
    finishedAt,
    idleSince,
    completedTotal: (before?.completedTotal ?? 0) + ended.completed,
    failedTotal: (before?.failedTotal ?? 0) + ended.failed,
    stalledTotal: (before?.stalledTotal ?? 0) + (memory === undefined ? 0 : stalled),
    oldestCompleted: raw.oldestCompleted,
    oldestFailed: raw.oldestFailed,
    keptBytes: null,
  };
  return {
    reading,
    memory: {
      reading,
      signature: raw.signature,
      added: raw.added,
      lastCompleted: raw.lastCompleted,
      lastFailed: raw.lastFailed,
      floor,
      abandoned: lost.map(({ id }) => id),
      moved: memory?.moved === true || moved || ended.completed + ended.failed > 0,
    },
  };
}

function pending(each: RawQueue | QueueReading): number {
  return each.waiting + each.active + each.delayed + each.prioritized + each.children;
}

/**
 * Jobs that have ended since the last reading. Those that are kept are counted by their times; of those that are removed at once
 * what was added and does not wait any more is left. Both are estimates.
 */
function countEnded(
  raw: RawQueue,
  memory: QueueMemory | undefined,
  changed: boolean,
): { completed: number; failed: number } {
  if (memory === undefined) return { completed: 0, failed: 0 };
  const before = memory.reading;
  if (raw.added === null || memory.added === null)
    return {
      completed: raw.newCompleted > 0 ? raw.newCompleted : raw.moved === true ? fallen(raw, memory) : 0,
      failed: raw.newFailed,
    };
  const accounted = changed ? Math.max(0, raw.added - memory.added - (pending(raw) - pending(before))) : 0;
  const rest = Math.max(0, accounted - raw.newFailed);
  // All that are kept are new: older ones may have been removed in between.
  const trimmed = raw.newCompleted === raw.completed;
  return { completed: trimmed ? Math.max(raw.newCompleted, rest) : raw.newCompleted, failed: raw.newFailed };
}

function fallen(raw: RawQueue, { reading }: QueueMemory): number {
  return Math.max(1, reading.waiting - raw.waiting);
}
