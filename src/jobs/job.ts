import type { Repository } from '../backup/repository.ts';
import type { WriterIdentity } from '../domain/backup.ts';
import type { Clock } from '../domain/clock.ts';
import type { Evaluated, Finding } from '../domain/finding.ts';
import type { Log } from '../domain/log.ts';
import type { Progress } from '../domain/progress.ts';
import type { InstanceSettings, Settings } from '../domain/settings.ts';
import type { RedisConnection } from '../redis/connect.ts';

/** What a job works with: one instance, its repository and the world, nothing global. */
export interface JobContext {
  instance: InstanceSettings;
  settings: Settings;
  repository: Repository;
  writer: WriterIdentity;
  /** Opens a connection to the instance; the caller closes it. The run's own signal ends it, unless another is given. */
  connect(signal?: AbortSignal): Promise<RedisConnection>;
  /** age identities (AGE-SECRET-KEY-…); empty when none is configured. */
  identities(): string[];
  /** A directory of our own for staged files and scratch servers. */
  scratch: string;
  /** What the newest runs of that job on this instance came to (JobResult.detail), newest first. */
  recall(this: void, job: string): unknown[];
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

/** A unit of work on one instance. */
export interface Job<Options, Value> {
  /** As in the history and in the rule `<name>-failed` that the runner raises when it throws. */
  name: string;
  effect: Effect | ((options: Options) => Effect);
  /** Runs that must not overlap share a lock. */
  lock: 'repository' | 'verify' | 'prove' | 'watch' | 'aof' | 'fetch';
  run(context: JobContext, options: Options): Promise<JobResult<Value>>;
  /** Is its failure news to whoever looks after the server, and not only to who asked? It always is when left out. */
  isNews?(options: Options, error: unknown): boolean;
}
