import { counted } from '../../lib/text/counted.ts';
import { AgentError, reasons, type ReasonOf } from '../../domain/errors.ts';
import { printable } from '../../lib/text/printable.ts';
import type { PipeError } from '../../redis/pipe/reply-parser.ts';
import { printableKey } from './tally.ts';

/** What an answer belongs to: the lowest bits of a command's tag; the record's number is above them. */
export const kind = {
  /** A whole value: RESTORE. */
  whole: 0,
  /** A part of a value that is built under a temporary name. */
  part: 1,
  /** All parts are there: whether they still are what was built. */
  kept: 6,
  /** The last command before it gets its name. */
  last: 2,
  /** It gets its name. */
  publish: 3,
  /** Clearing up. */
  aside: 4,
  select: 5,
  /** Whether it takes values of a module at all. */
  module: 7,
} as const;

const kinds = 8;

export function tagOf(record: number, of: number): number {
  return record * kinds + of;
}

export function kindOf(tag: number): number {
  return tag % kinds;
}

export function recordOf(tag: number): number {
  return Math.floor(tag / kinds);
}

const changedCluster =
  'it is a node of a cluster, which has changed: see redis-cli --cluster check, and run this again';

/** Refusals that every later command would get as well: nothing is won by going on. */
const hopeless: Partial<Record<ReasonOf<'redis'>, string>> = {
  oom: 'raise its maxmemory, or restore fewer keys',
  readonly: 'it has become a replica: name its master',
  misconf: 'its last save failed and writes are blocked: see its log',
  loading: 'wait until it has loaded its data',
  busy: 'a script is blocking it: wait, or end it with SCRIPT KILL',
  unkillable: 'a script is blocking it: wait',
  masterdown: 'it has lost its master: name the master itself',
  noreplicas: 'it has too few replicas for min-replicas-to-write',
  noauth: 'was its password changed?',
  moved: changedCluster,
  ask: changedCluster,
  crossslot: changedCluster,
  clusterdown: changedCluster,
  tryagain: changedCluster,
};

/** The error to stop with, where the refusal is one that every later command would get. */
export function stoppedBy(target: string, { code, text }: PipeError): AgentError | undefined {
  const reason = reasons.redis.find((each) => each === code.toLowerCase());
  const hint = reason && hopeless[reason];
  if (hint === undefined) return undefined;
  return new AgentError('redis', `${target} refuses to be written to: ${printable(text)}`, {
    reason,
    hint,
  });
}

/** The server's words, but not those that repeat our own. Safe to print. */
export function refusalOf({ text }: PipeError): string {
  return `refused: ${printable(text).replace(/,? with args beginning with:.*/s, '')}`;
}

export function existsAlready(target: string, key: Uint8Array, written: number): AgentError {
  const so =
    written === 0 ? 'nothing was written' : `${counted(written, 'key was', 'keys were')} written before`;
  return new AgentError('refused', `${target} already has the key ${printableKey(key)}: ${so}`, {
    reason: 'exists',
    hint: 'say --replace to overwrite such keys, or --skip-existing to leave them as they are',
  });
}
