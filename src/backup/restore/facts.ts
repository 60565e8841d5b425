import type { ClusterPlace, Engine, KeyCount } from '../../domain/backup.ts';
import type { UserId } from '../../lib/process/act-as.ts';

/** Where a server keeps its data and which of it it loads. */
export interface Persistence {
  /** Absolute. */
  dir: string;
  dbfilename: string;
  appendonly: boolean;
  appendfilename: string;
  /** Read by servers with a multi-part AOF only. */
  appenddirname: string;
  /** Empty: standard output. */
  logfile: string;
}

/** Of a server in cluster mode: what it holds; undefined where that cannot be seen. */
export interface ClusterFacts {
  place: ClusterPlace | undefined;
}

/** What a server that answers says of itself. */
export interface RunningServer {
  engine: Engine;
  version: string;
  role: 'master' | 'replica';
  /** Of a replica: its master's address. */
  master: string | undefined;
  replicas: number;
  /** Undefined: it may not be seen with the agent's rights. */
  sentinels: number | undefined;
  databases: Record<string, KeyCount>;
  maxmemory: number;
  /** Undefined: it is no node of a cluster. */
  cluster?: ClusterFacts | undefined;
  persistence: Persistence;
  /** Changes that its dump.rdb does not have yet. */
  unsaved: number;
  /** Its process, where it runs on this host. */
  pid: number | undefined;
  user: UserId | undefined;
}

/** What redis.conf and the command line say that the next start will do; undefined parts are the server's defaults. */
export interface ConfFacts {
  file: string | undefined;
  persistence: Partial<Persistence>;
  maxmemory: string | undefined;
  /** How many there are: 0 is the first. */
  databases: number;
  replicaof: string | undefined;
  modules: string[];
  /** Undefined: it starts as no node of a cluster. */
  cluster?: ClusterFacts | undefined;
}

/** The program that the next start will run. */
export interface ServerProgram {
  path: string;
  engine: Engine;
  version: string;
}

/** All that a plan of a restore is made of. */
export interface RestoreFacts {
  instance: string;
  url: string;
  running: RunningServer | undefined;
  conf: ConfFacts | undefined;
  /** Why `conf` could not be read; undefined when it was, or when nothing says where it is. */
  confProblem: string | undefined;
  program: ServerProgram | undefined;
  /** How it is stopped and started, for people; undefined when nobody knows. */
  service: string | undefined;
  /** As whom it runs: by its unit, else the configuration (`named`), else whoever holds the socket that it listens on. */
  user: (UserId & { named: boolean }) | undefined;
  now: number;
}
