import type { QueueRef } from '../../../domain/queue.ts';
import type { Reply } from '../../../redis/connection/connect.ts';
import type { Command, QueueMemory } from '../parts/collector.ts';
import type { RawQueue } from '../parts/raw-queue.ts';

/** A kind of queue: what to ask of it, and what the answers mean. undefined: it cannot be read. */
export interface QueueReader {
  commands(ref: QueueRef, memory: QueueMemory | undefined, asked: Asked): Command[];
  read(
    replies: readonly Reply[],
    ref: QueueRef,
    memory: QueueMemory | undefined,
    asked: Asked,
  ): RawQueue | undefined;
}

export interface Asked {
  /** Wall time, milliseconds. */
  now: number;
  /** Whether the jobs themselves may be read, where they lie in the list or set. */
  content: boolean;
  /** Everything, for a person who looks; a poll asks for less. */
  detail: boolean;
}

export const nothing: RawQueue = {
  waiting: 0,
  active: 0,
  delayed: 0,
  overdue: 0,
  prioritized: 0,
  children: 0,
  failed: 0,
  completed: 0,
  paused: false,
  limited: false,
  overdueSince: null,
  dueSince: null,
  oldestName: null,
  nextIds: [],
  activeIds: [],
  signature: '',
  moved: null,
  added: null,
  newCompleted: 0,
  newFailed: 0,
  lastCompleted: 0,
  lastFailed: 0,
  oldestCompleted: null,
  oldestFailed: null,
  workers: null,
};
