import { understands } from '../../formats/rdb/dump-payload.ts';
import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import type { FunctionLoader } from './function-loader.ts';
import type { MovedKeys } from './moved-keys.ts';
import type { TargetAbilities } from './judge-target.ts';
import type { TargetWays } from './probe-target.ts';
import type { Tally } from './tally.ts';
import { expiringLayouts, type TimesToLive } from './times-to-live.ts';

/** What to do with a key that the target has already. */
export type ExistingKeys = 'stop' | 'replace' | 'skip';

export interface KeyWriterOptions extends WritingRules {
  /** Can the dump be read a second time? */
  again: boolean;
  existing: ExistingKeys;
  tally: Tally;
  /** Takes the function libraries of the dump; undefined: they are left out. */
  functions?: FunctionLoader | undefined;
  /** Records before this one are done: an earlier run has written them. */
  from: number;
  /** Records before this one may have been written by an earlier run that was cut off. */
  doubtfulTo: number;
  /** What follows a key in the name under which its value is built: in each run so far, this one's last. */
  temporary: readonly string[];
  /** Of a node of a cluster. */
  node?: NodeRules | undefined;
}

/** What is different where the target is a node of a cluster. */
export interface NodeRules {
  /** Takes the records that it does not take, since it has their slots no more. */
  moved: MovedKeys;
  /** Slots that are on their way to it: it takes their keys when it is told so before each. */
  asking: ReadonlySet<number>;
}

/** Which keys are written, and how. */
export interface WritingRules {
  target: TargetAbilities;
  ways: TargetWays;
  selects: (record: RdbRecord) => boolean;
  ttl: TimesToLive;
  /** Values that are damaged are left out, and the others written; else the first one ends all. */
  skipDamaged: boolean;
  /** Everything goes into this database. */
  toDatabase: number | undefined;
  /** Only these records: in another reading. */
  only: ReadonlySet<number> | undefined;
  /** These by plain commands: their values were too large for the first reading, or RESTORE did not take them. */
  built: ReadonlySet<number> | undefined;
}

/** Of a hash for a server that has no HPEXPIREAT. */
export const losesExpiry = 'some of its fields expire, which this server cannot do';

/** Of a module's value, which nothing but RESTORE writes. */
export const tooLarge = 'it is a module’s value, and too large for one command';

/** Why this record cannot be written at all. */
export function impossible(record: RdbRecord, rules: WritingRules): string | undefined {
  const { type, database } = record;
  const { target, ways, toDatabase } = rules;
  const lacking = ways.lacks(toDatabase ?? database);
  if (lacking !== undefined) return lacking;
  if (type.data !== 'module') return byCommands(record, rules) ? ways.unable : undefined;
  if (rules.built?.has(record.index) === true) return 'it is a module’s value, which the server refuses';
  if (!ways.restore) return 'it is a module’s value, which only RESTORE can write';
  // Before 7.0 the server ends itself when it does not know the module.
  return target.survivesModules && understands(target.reads, type)
    ? undefined
    : 'it is a module’s value, which could end a server of this version';
}

/** Does the value have to be built, since the target would not take it in one piece? */
export function byCommands({ type, index }: RdbRecord, { target, ways, built, ttl }: WritingRules): boolean {
  if (ttl.rebuilds && expiringLayouts.has(type.layout)) return true;
  return built?.has(index) === true || !ways.restore || !understands(target.reads, type);
}

/**
 * Values above this are built in batches. A server takes 512 MB in one argument, but does nothing else while it reads
 * one of that size, and we would have to hold it several times.
 */
export const largestRaw = 16 * 1024 * 1024;
