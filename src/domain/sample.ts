import type { PatternReading } from './pattern.ts';
import type { QueueReading } from './queue.ts';

/**
 * How a server answered. Being up is not one bit: a script that runs for long, a data set that is still being loaded and
 * a save that failed all answer, each with its own word.
 */
export const upClasses = {
  up: { answers: true, means: 'answers' },
  misconf: { answers: true, means: 'refuses writes, because its last save failed' },
  loading: { answers: true, means: 'is still loading its data' },
  busy: { answers: false, means: 'is blocked by a script or function' },
  refused: { answers: false, means: 'refuses connections' },
  timeout: { answers: false, means: 'does not answer in time' },
  noauth: { answers: false, means: 'refuses the agent’s credential' },
  maxclients: { answers: false, means: 'has no connection left' },
  unreachable: { answers: false, means: 'cannot be reached' },
} as const;

export type UpClass = keyof typeof upClasses;

/** One slow command, as SLOWLOG gives it, without any value of its arguments. */
export interface SlowCommand {
  id: number;
  /** Seconds since the epoch, the server's clock. */
  at: number;
  /** Microseconds of execution. */
  micros: number;
  /** `ZADD bull:*:delayed`: the command and its key, ids and numbers written as `*`. */
  fingerprint: string;
  /** The same with how many arguments there were. */
  shape: string;
  /** The client's name, or its address where it has none. */
  client: string;
}

export interface SlowReading {
  /** Oldest first: what was new since the poll before. */
  entries: readonly SlowCommand[];
  /** The first reading ever: what it holds is older than our watch. */
  first: boolean;
  /** Entries that fell out of the server's ring before they could be read. */
  lost: number;
  /** Somebody else emptied the log. */
  reset: boolean;
}

/** Clients that are alike: one address and name. */
export interface ClientGroup {
  address: string;
  name: string;
  user: string;
  count: number;
  blocked: number;
  /** The longest idle one, seconds. */
  idle: number;
  /** Buffers and all, bytes; 0 where the server does not say. */
  memory: number;
}

/** What one command has cost since the reading before. */
export interface CommandCost {
  command: string;
  calls: number;
  micros: number;
}

/** How long commands took to execute since the reading before: an upper edge of its bucket each, microseconds. */
export interface LatencyReading {
  /** Which commands it covers: the busiest ones. */
  commands: readonly string[];
  calls: number;
  /** Ascending: how many took at most this long. The last edge is a bound of the server's and may hold longer ones. */
  buckets: readonly { micros: number; count: number }[];
}

/** A collector that could not do its work, and why. */
export interface Blind {
  collector: string;
  /** `noperm`, `unknown-command` … */
  reason: string;
  message: string;
}

/** All that one poll saw of one instance. */
export interface Sample {
  /** Wall time, milliseconds. */
  at: number;
  /** Time that never goes back, milliseconds. */
  elapsed: number;
  up: UpClass;
  /** What was said where it is not simply up. */
  detail?: string | undefined;
  /** The server process: counters begin anew with another. */
  runId?: string | undefined;
  /** By the names of domain/metrics.ts; what was not seen is not in it. */
  values: Readonly<Record<string, number>>;
  /** Words: `role`, `maxmemory_policy`, `version`, `limit_source` … */
  texts: Readonly<Record<string, string>>;
  slow?: SlowReading | undefined;
  clients?: readonly ClientGroup[] | undefined;
  commands?: readonly CommandCost[] | undefined;
  latency?: LatencyReading | undefined;
  queues?: readonly QueueReading[] | undefined;
  patterns?: readonly PatternReading[] | undefined;
  blind: readonly Blind[];
}
