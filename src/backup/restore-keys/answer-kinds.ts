import { counted } from '../../lib/text/counted.ts';
import { AgentError } from '../../domain/errors.ts';
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

/** Refusals that every later command would get as well: nothing is won by going on. */
const hopeless: Record<string, string> = {
  OOM: 'raise its maxmemory, or restore fewer keys',
  READONLY: 'it has become a replica: name its master',
  MISCONF: 'its last save failed and writes are blocked: see its log',
  LOADING: 'wait until it has loaded its data',
  BUSY: 'a script is blocking it: wait, or end it with SCRIPT KILL',
  UNKILLABLE: 'a script is blocking it: wait',
  MASTERDOWN: 'it has lost its master: name the master itself',
  NOREPLICAS: 'it has too few replicas for min-replicas-to-write',
  NOAUTH: 'was its password changed?',
  ...Object.fromEntries(
    ['MOVED', 'ASK', 'CROSSSLOT', 'CLUSTERDOWN', 'TRYAGAIN'].map((code) => [
      code,
      'it is a node of a cluster, which has changed: see redis-cli --cluster check, and run this again',
    ]),
  ),
};

/** The error to stop with, where the refusal is one that every later command would get. */
export function stoppedBy(target: string, { code, text }: PipeError): AgentError | undefined {
  const hint = Object.hasOwn(hopeless, code) ? hopeless[code] : undefined;
  if (hint === undefined) return undefined;
  return new AgentError('redis', `${target} refuses to be written to: ${printable(text)}`, {
    reason: code.toLowerCase(),
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
