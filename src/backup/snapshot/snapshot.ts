import type { ClusterPlace, Manifest, ServerIdentity } from '../../domain/backup.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../domain/log.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import type { DumpAccess, DumpHandle } from '../dump-access.ts';

/** A finished dump, open for reading. Redis never modifies it: a later save only takes its name away. */
export interface Snapshot extends AsyncDisposable {
  handle: DumpHandle;
  /** Where it was when it was opened; another file may be there by now. */
  path: string;
  bytes: number;
  /** The server's clock, milliseconds. */
  requestedAt: number;
  /** The server's clock, known to the second only; never before `requestedAt`. */
  savedAt: number;
  server: ServerIdentity;
  keyspace: Manifest['keyspace'];
  /** Of a node of a cluster: what it held at its fork, or the moment before where its save was scheduled. */
  cluster: ClusterPlace | undefined;
  /** Closes the handle. May be called twice. */
  close(): Promise<void>;
}

/** What a snapshot is doing: `fraction` (0..1) where the server tells it. */
export interface SnapshotProgress {
  phase: 'waiting for another save' | 'waiting for another child' | 'saving' | 'reconnecting';
  fraction?: number;
}

export interface SnapshotOptions {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Longest time for all of it, milliseconds. */
  timeout: number;
  onProgress?: (progress: SnapshotProgress) => void;
  /** This process, when left out. */
  access?: DumpAccess;
}

/** One snapshot being taken. */
export interface Run extends Omit<SnapshotOptions, 'timeout' | 'onProgress' | 'access'> {
  readonly access: DumpAccess;
  readonly instance: string;
  /** Another one after the server was lost. */
  connection: RedisConnection;
  /**
   * Sleeps between two looks: the longer the same thing is waited for, the longer. Throws when time is up: for `lost`, where
   * the server is.
   */
  pause(progress: SnapshotProgress, lost?: AgentError): Promise<void>;
}

/**
 * Why a save led to no snapshot although it did not fail. raced: another save came in between · vanished: it ended
 * without a file (FLUSHALL and BGSAVE CANCEL kill the child, CONFIG SET dir moves the file; a server in a container
 * writes it where we do not see it) · flushed: FLUSHALL wrote an empty dump instead · foreign: what lies there has far more
 * or fewer keys than the server had at its fork.
 */
export type Lost = 'raced' | 'vanished' | 'flushed' | 'foreign';
