import type { PatternSettings, QueueSettings } from './queues.ts';

/** How a threshold is written in config.yaml and shown to people. Kept as: number, milliseconds, bytes. */
export type ThresholdUnit = 'number' | 'percent' | 'duration' | 'bytes';

export type ThresholdLevel = 'info' | 'warning' | 'high' | 'critical';

/** A level that is off is not in it. */
export type Threshold = Readonly<Partial<Record<ThresholdLevel, number>>>;

export interface ThresholdKind {
  unit: ThresholdUnit;
  /** Lower is worse. */
  below?: boolean;
  /** What it bounds, for the example configuration and the page of rules. */
  what: string;
  levels: Threshold;
  /** What a role changes; `undefined` inside switches everything off. */
  roles?: Readonly<Partial<Record<Role, Threshold>>>;
}

export type Role = 'cache' | 'queue' | 'session' | 'durable';

const off: Threshold = {};

/** The documented thresholds, and the few that our own rules need. */
export const thresholdKinds = {
  memory_percent: {
    unit: 'percent',
    what: 'used of maxmemory, or of the container or host',
    levels: { info: 70, warning: 80, critical: 90 },
  },
  memory_bytes: { unit: 'bytes', what: 'used memory (100mb is a queue’s usual bound)', levels: off },
  storage_bytes: { unit: 'bytes', what: 'the append only file (200mb is usual)', levels: off },
  failed_connections: {
    unit: 'number',
    what: 'failed connections a minute',
    levels: { warning: 1, critical: 5 },
  },
  command_p95: {
    unit: 'duration',
    what: 'execution time that 5 of 100 exceed',
    levels: { warning: 500, critical: 1000 },
  },
  round_trip_p95: {
    unit: 'duration',
    what: 'the agent’s own PING, there and back',
    levels: { warning: 100 },
  },
  hit_rate: {
    unit: 'percent',
    below: true,
    what: 'look-ups that find their key, in 15 minutes',
    levels: { warning: 70 },
    roles: { queue: off },
  },
  clients: { unit: 'number', what: 'connected clients', levels: { warning: 50 } },
  clients_percent: {
    unit: 'percent',
    what: 'connected clients of maxclients',
    levels: { warning: 90, critical: 98 },
  },
  clients_blocked: {
    unit: 'number',
    what: 'clients that wait in a blocking command',
    levels: { warning: 100 },
    roles: { queue: off },
  },
  evictions: {
    unit: 'number',
    what: 'keys evicted since the last poll',
    levels: { critical: 0 },
    roles: { cache: off },
  },
  commands_day: { unit: 'number', what: 'commands in 24 hours (8000 of a plan of 10 000)', levels: off },
  slow_commands: {
    unit: 'number',
    what: 'commands above slow_command in 5 minutes',
    levels: { info: 0 },
  },
  cpu_percent: { unit: 'percent', what: 'one core, for 10 minutes', levels: { warning: 80 } },
  fork: { unit: 'duration', what: 'how long a fork holds the server up', levels: { warning: 1000 } },
  save_duration: { unit: 'duration', what: 'how long a snapshot takes', levels: { warning: 1_800_000 } },
  restarts: { unit: 'number', what: 'restarts in 15 minutes', levels: { critical: 2 } },
  replica_lag: {
    unit: 'duration',
    what: 'how long ago a replica was last heard',
    levels: { warning: 10_000, critical: 60_000 },
  },
  clock_skew: { unit: 'duration', what: 'the server’s clock against the agent’s', levels: { warning: 5000 } },
  disk_percent: {
    unit: 'percent',
    what: 'the file system where the server writes',
    levels: { warning: 85, critical: 95 },
  },
  host_memory_percent: {
    unit: 'percent',
    below: true,
    what: 'memory of the host that is available',
    levels: { warning: 10, critical: 4 },
  },
  queue_stuck: {
    unit: 'duration',
    what: 'work is due in a queue, and nothing is finished',
    levels: { critical: 300_000 },
  },
  queue_age: {
    unit: 'duration',
    what: 'how long the oldest job of a queue has been due',
    levels: { warning: 600_000, high: 1_200_000, critical: 2_400_000 },
  },
  queue_overdue: {
    unit: 'duration',
    what: 'how late the first delayed job of a queue is',
    levels: { warning: 120_000, high: 600_000 },
  },
  queue_depth: { unit: 'number', what: 'jobs that wait in a queue', levels: off },
  queue_failed_percent: {
    unit: 'percent',
    what: 'jobs that fail of those that end, in 15 minutes',
    levels: { warning: 20, high: 50 },
  },
  queue_kept_bytes: {
    unit: 'bytes',
    what: 'memory of a queue’s ended jobs, at 5 % of all',
    levels: { warning: 104_857_600 },
  },
  queue_stalled: {
    unit: 'number',
    what: 'jobs that lost their worker, in 15 minutes',
    levels: { warning: 2 },
  },
  certificate_days: {
    unit: 'number',
    below: true,
    what: 'days until the served certificate expires',
    levels: { warning: 21, critical: 3 },
  },
} as const satisfies Record<string, ThresholdKind>;

export type ThresholdName = keyof typeof thresholdKinds;
export type Thresholds = Readonly<Record<ThresholdName, Threshold>>;
/** What a configuration says about one, level by level; null switches a level off. */
export type ThresholdOverride = Readonly<Partial<Record<ThresholdLevel, number | null | undefined>>>;
export type ThresholdOverrides = Partial<Record<ThresholdName, ThresholdOverride | undefined>>;

export interface MonitorSettings {
  /** Between two polls, milliseconds; null: nothing is watched. */
  interval: number | null;
  thresholds: ThresholdOverrides;
  /** A command that takes longer is slow, milliseconds. */
  slow_command: number;
  /** What is known of queues beforehand. */
  queues: readonly QueueSettings[];
  /** Between two searches for queues, milliseconds; null: only those above are watched. */
  find_queues: number | null;
  /** Keys of the application's own, by a name for them. */
  patterns: Readonly<Record<string, PatternSettings>>;
}

/** The thresholds of one instance: its own before the section's, before its role's, before the documented ones. */
export function thresholdsOf(
  { role, thresholds }: { role?: Role | undefined; thresholds?: ThresholdOverrides | undefined },
  section: ThresholdOverrides = {},
): Thresholds {
  const entries = Object.entries<ThresholdKind>(thresholdKinds).map(([name, kind]) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of thresholdKinds
    const key = name as ThresholdName;
    const documented = (role === undefined ? undefined : kind.roles?.[role]) ?? kind.levels;
    return [key, override(override(documented, section[key]), thresholds?.[key])] as const;
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name is in it
  return Object.fromEntries(entries) as Record<ThresholdName, Threshold>;
}

function override(levels: Threshold, said: ThresholdOverride | undefined): Threshold {
  const merged = Object.entries({ ...levels, ...said }).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(merged);
}
