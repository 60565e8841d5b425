import type { ReasonOf } from './errors.ts';
import type { Engine } from './backup.ts';

/** The newest schema of a drill's record that this version writes and reads. */
export const drillSchema = 1;

/** Seconds that the parts of a restore took. null: the drill did not come that far, or this host cannot do it. */
export interface DrillTimes {
  /** Waiting for the repository, and the rest of reading: decrypting, decompressing, hashing, writing the file. */
  fetch: number;
  decode: number;
  /** The server's own check tool. */
  check: number | null;
  /** From the start of the server until it has loaded everything. */
  load: number | null;
  /** Proving that what was loaded is what the backup holds: no part of a restore. */
  compare: number | null;
  total: number;
}

/** How much was compared with the backup, value by value. */
export interface DrillComparison {
  keys: number;
  elements: number;
  /** Values that could not be compared entirely: a module's own, or with a string that is longer than 64 MiB. */
  incomplete: number;
  /** The first differences, one line each. Empty: none. */
  differences: string[];
}

/** What the scratch server found in its data directory: a dump, or an append only file of one of both layouts. */
export type LoadedAs = 'rdb' | 'multi-part' | 'single';

/** One rehearsal of one backup at one time, an object of its own beside the manifest. Times are ISO 8601 UTC. */
export interface DrillRecord {
  schema: number;
  backup: string;
  at: string;
  ok: boolean;
  /** One line: what was proven, or what is wrong. */
  summary: string;
  /** The scratch server. */
  server: { engine: Engine; version: string };
  /** A dump is placed as the base of an append only file, where the instance reads that and no dump. */
  loaded_as: LoadedAs;
  /** Of the plain file, and as stored. */
  bytes: number;
  stored_bytes: number;
  /** That the server had loaded; null: it did not. */
  keys: number | null;
  /** null: only counts were compared, and the summary says why. */
  compared: DrillComparison | null;
  seconds: DrillTimes;
  /** fetch + decode + check + load: what passes until a server has the data. null: it did not load it. */
  recovery_seconds: number | null;
}

/** What became of a drill. */
export type DrillOutcome =
  | { outcome: 'held' | 'failed'; record: DrillRecord }
  /** It was not begun, or the host could not carry it to its end: nothing is said of the backup. */
  | {
      outcome: 'skipped';
      backup: string;
      at: string;
      reason: ReasonOf<'refused'>;
      why: string;
      instead: string;
    };

/** How long a restore should take, from how long the last drill took. */
export interface RestoreEstimate {
  seconds: number;
  /** What it is reckoned from. */
  drill: { backup: string; at: string; bytes: number; recovery_seconds: number };
}
