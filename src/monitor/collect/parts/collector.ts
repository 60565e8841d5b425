import type { ClientGroup, CommandCost, LatencyReading, SlowReading } from '../../../domain/sample.ts';
import type { QueueReading, QueueRef } from '../../../domain/queue.ts';
import type { Reply } from '../../../redis/connection/connect.ts';
import type { WorkerCount } from '../queues/workers.ts';
import type { RawQueue } from './raw-queue.ts';

export type Command = (string | number)[];

/** What is known of the server from the polls before: it decides what can be asked. */
export interface Known {
  engine: 'redis' | 'valkey' | undefined;
  /** Its own version, as three numbers. */
  version: readonly [number, number, number] | undefined;
  runId: string | undefined;
  /** When INFO was last read, our wall time in milliseconds. */
  seenAt: number | undefined;
  /** `standalone`, `cluster` or `sentinel`. */
  mode: string;
  clients: number;
  slow: SlowCursor;
  /** slowlog-max-len. */
  slowMax: number;
  /** The masters of a Sentinel. */
  masters: readonly string[];
  costs: ReadonlyMap<string, { calls: number; micros: number }> | undefined;
  /** The busiest commands of the last minute, worst first. */
  busiest: readonly string[];
  histograms: ReadonlyMap<string, ReadonlyMap<number, number>> | undefined;
  /** A replica: what its master holds is told of the master. */
  replica: boolean;
  /** Those that hold keys. */
  databases: readonly number[];
  queues: QueuesKnown;
  /** Connected workers, by `prefix:base64(name)`; undefined: not known. */
  workers: ReadonlyMap<string, WorkerCount> | undefined;
}

/** The queues of a server, and what is remembered of each from poll to poll. */
export interface QueuesKnown {
  refs: readonly QueueRef[];
  memory: ReadonlyMap<string, QueueMemory>;
  /** Wall time of the poll, milliseconds. */
  now: number;
  /** What jobs hold is left unread: something was larger than a connection takes. */
  blindUntil: number;
  /** A person looks: all there is. */
  detail: boolean;
  /** Those that cannot be read, by kind and label: why, and until when they are not asked for, since each refusal is logged. */
  refused: ReadonlyMap<string, { until: number; reason: Unread }>;
}

/** Why a queue cannot be read: its keys are not ours to read, or one is of another type. */
export type Unread = 'keys' | 'type';

/** What a reading is compared with. */
export interface QueueMemory {
  reading: QueueReading;
  /** What moves when jobs are taken: the ends of its lists. */
  signature: string;
  /** Of Bull: how many were ever added. */
  added: number | null;
  /** The newest scores of completed and failed. */
  lastCompleted: number;
  lastFailed: number;
  /** When it was last seen with nothing to do, paused, or something was just finished. */
  floor: number | null;
  /** Active jobs that were seen without a worker. */
  abandoned: readonly string[];
  /** Its consuming end was seen to move. */
  moved: boolean;
}

/** Where the reading of the slow log stands. */
export interface SlowCursor {
  runId: string | undefined;
  /** The newest id that was read; undefined before the first reading. */
  id: number | undefined;
  /** Was it still in the log? */
  present: boolean;
}

/** What collectors fill in. */
export interface Draft {
  /** Our wall time when the commands were sent, milliseconds. */
  askedAt: number;
  values: Record<string, number>;
  texts: Record<string, string>;
  slow?: SlowReading;
  clients?: ClientGroup[];
  commands?: CommandCost[];
  latency?: LatencyReading;
  /** As they were asked, before what their jobs tell; then all together. */
  rawQueues?: { ref: QueueRef; raw: RawQueue }[];
  /** Those that could not be read. */
  unread?: { ref: QueueRef; reason: Unread }[];
  queues?: QueueReading[];
  /** What to remember for the next poll. */
  known: Partial<Known>;
}

/** One subject. Its commands travel with those of the others in one write; it never sees an error reply. */
export interface Collector {
  name: string;
  /** What its commands need, as in ACL SETUSER. */
  rights: readonly string[];
  /** Between two readings, milliseconds; 0: in every poll. */
  every: number;
  /** The same for servers that are billed by command; null: never. */
  frugal: number | null;
  /** Error replies that are an answer: they are read as text. */
  answers?: RegExp;
  /** Is there anything to ask, with this server? Everywhere when left out. */
  applies?(known: Known): boolean;
  commands(known: Known): Command[];
  read(replies: readonly Reply[], draft: Draft, known: Known): void;
}

/** Is the server at least this old? `valkey` counts as Redis 7.2, which it began as. */
export function atLeastVersion(known: Known, major: number, minor = 0): boolean {
  if (known.version === undefined) return false;
  const [has, hasMinor] = known.version;
  return has > major || (has === major && hasMinor >= minor);
}
