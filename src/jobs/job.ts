import type { Repository } from '../backup/repository.ts';
import type { RestoreHost } from '../backup/restore/host/host.ts';
import type { WriterIdentity } from '../domain/backup.ts';
import type { Clock } from '../domain/clock.ts';
import type { Evaluated, Finding } from '../domain/finding.ts';
import type { Log } from '../domain/log.ts';
import type { Rule } from '../domain/rule.ts';
import type { Progress } from '../domain/progress.ts';
import type { InstanceSettings, Settings } from '../domain/settings.ts';
import type { FilesTarget, ServerFiles } from '../harden/apply/server-files.ts';
import type { Consumers } from '../harden/rotate/consumers.ts';
import type { FirewallFacts } from '../harden/read/firewall.ts';
import type { UserId } from '../lib/process/act-as.ts';
import type { RedisConnection } from '../redis/connection/connect.ts';
import type { State } from '../state/db/open.ts';
import type { Series } from '../state/series/series.ts';

/** The host of an instance, where its server runs on this one. */
export interface HostPart {
  /** Who its server is there, its service, its data directory. */
  host: RestoreHost;
  /** The configuration of its server, whose user that is. */
  serverFiles(this: void, target: FilesTarget, user: UserId | undefined): ServerFiles;
}

/** What a job works with: one instance, its repository and the world, nothing global. */
export interface JobContext extends HostPart {
  instance: InstanceSettings;
  settings: Settings;
  repository: Repository;
  /** The same, for a job that does without where it is away. Rejects with an AgentError. */
  openRepository(this: void): Promise<Repository>;
  writer: WriterIdentity;
  /** Opens a connection to the instance; the caller closes it. The run's own signal ends it, unless another is given. */
  connect(signal?: AbortSignal): Promise<RedisConnection>;
  /** The same to another instance, for what nodes of the same data have to agree on. */
  connectTo(this: void, instance: InstanceSettings): Promise<RedisConnection>;
  /** That of another server of the same data. */
  hostOf(this: void, instance: InstanceSettings): HostPart;
  /** Who is told a new password. */
  consumers: Consumers;
  /** The firewall of this host. */
  firewall(this: void): Promise<FirewallFacts>;
  /** age identities (AGE-SECRET-KEY-…); empty when none is configured. */
  identities(): string[];
  /** A directory of our own for staged files and scratch servers. */
  scratch: string;
  /** What the newest runs of that job on this instance came to (JobResult.detail), newest first. */
  recall(this: void, job: string): unknown[];
  /** The history: runs, findings, tasks. */
  state(this: void): State;
  /** What was measured. */
  series(this: void): Series;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  progress: Progress;
}

/** What a job comes back with. Only the runner hands findings on. */
export interface JobResult<Value> {
  value: Value;
  /** One line for the log and the history. */
  summary: string;
  /** What the history keeps of it besides, as JSON. */
  detail?: unknown;
  findings: Finding[];
  /** What this run evaluated: findings of it that are not in `findings` are closed. */
  evaluated: readonly Evaluated[];
}

/**
 * look: is no run, records and closes nothing, and makes nobody give way; how it ends concerns who asked.
 * work: goes into the history, and so do its findings and its failure.
 */
export type Effect = 'look' | 'work';

/** A unit of work on one instance, which says all about itself: src/jobs/index.ts lists them, and everything else asks that. */
export interface Job<Options, Value> {
  /** As in the history and in the rule `<name>-failed` that the runner raises when it throws. */
  name: string;
  effect: Effect | ((options: Options) => Effect);
  /** Comes round so often that its runs are no history: only its findings are kept, and its failure. */
  unrecorded?: boolean;
  /** What a person types to have it done, without `redis-agent`; null where nobody would. */
  command: string | null;
  /** Runs that must not overlap share a lock. */
  lock:
    | 'repository'
    | 'verify'
    | 'prove'
    | 'watch'
    | 'aof'
    | 'fetch'
    | 'watch-restores'
    | 'maintain'
    | 'publish-status'
    | 'audit'
    | 'harden';
  /** urgent: somebody waits for his data; makes one that `yields` end, which can be had again, where it holds the lock. */
  urgency?: 'urgent' | 'yields';
  /** What must be there for it. What it does not name is not opened, and may be away. */
  uses: readonly ('server' | 'repository')[];
  /** Reads, packs or loads whole backups: the daemon has it done in a process of its own. */
  heavy?: boolean;
  /** What it can find, besides `<name>-failed`. */
  rules: readonly Rule[];
  /** Rules that it makes come true while it works on the server: nobody is told of them meanwhile, unless they last. */
  causes?: readonly string[];
  /** When it comes round by itself; null where the configuration says never. Only on demand when left out. */
  schedule?(settings: Settings, instance: InstanceSettings): JobSchedule | null;
  run(context: JobContext, options: Options): Promise<JobResult<Value>>;
  /** Is its failure news to whoever looks after the server, and not only to who asked? It always is when left out. */
  isNews?(options: Options, error: unknown): boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- jobs of all options and results in one list
export type AnyJob = Job<any, any>;

/** How a job comes round. */
export interface JobSchedule {
  /** cron: five fields, or six with seconds first, in the configured time zone. */
  cron: string;
  /** Largest random delay before a run, milliseconds: hosts installed alike must not all start at once. */
  jitter: number;
  /**
   * When it was last done, milliseconds: a run that was missed since then is caught up with at a start. `never` is due at
   * once; undefined is never caught up with.
   */
  lastDone(facts: StartFacts): LastDone | Promise<LastDone>;
  /** How long a run waits for another job that holds its lock, milliseconds: late, and not left out. 0 when left out. */
  patience?: number;
  /** Does the job, and what belongs to it. */
  start(run: RunJob): Promise<unknown>;
  /** Did it fail for a reason that may pass by itself? Then it is tried again before its next time. Never when left out. */
  mayPass?(error: unknown): boolean;
}

export type LastDone = number | 'never' | undefined;

/** What there is to know at a start. Times are milliseconds. */
export interface StartFacts {
  now: number;
  /** When this job last succeeded, as the history has it. */
  lastSuccess(this: void): number | undefined;
  /** When the newest backup was taken, as the repository has it, and the history while that is away. */
  newestBackup(this: void): Promise<LastDone>;
}

/** Runs a job of one instance as the runner does. */
export type RunJob = <Options, Value>(job: Job<Options, Value>, options: Options) => Promise<Value>;

/** An hour: a backup waits that long for a drill or a restore, and a drill for a backup. */
export const longPatience = 60 * 60 * 1000;

/** Every five minutes. */
export const often = '*/5 * * * *';

/** What a poll sees of a server that is stopped and started, or made a replica and a master again. */
export const interruption: readonly string[] = [
  'server-down',
  'server-busy',
  'server-loading',
  'restart-loop',
  'role-changed',
  'master-link',
  'replicas-lost',
  'writes-refused',
  'connection-failures',
  'round-trip',
];
