import { decodeUtf8, escapeBytes, wholeCharacters } from '../../lib/text/byte-text.ts';
import { printable } from '../../lib/text/printable.ts';

/** Keys that could not be written for one reason. */
export interface FailedKeys {
  reason: string;
  keys: number;
  /** The first few of them, made safe to print. */
  examples: string[];
}

/** A value that was left out, since what the dump has of it is no whole value. */
export interface DamagedValue {
  /** Of the dump. */
  database: number;
  /** Its beginning, made safe to print. */
  key: string;
  why: string;
}

/** What has become of the keys that were asked for; the server has confirmed all of it. */
export interface TallyCounts {
  written: number;
  /** Of the values that were written, as in the dump. */
  bytes: number;
  /** Left alone, since the target had them. */
  existing: number;
  /** Their time was over. */
  expired: number;
  /** Without any element: servers have no such keys, and leave them out of a dump. */
  empty: number;
  /** Not asked for. */
  passed: number;
  /** Keys that the server evicted meanwhile: nobody knows whether they are among those that were written. */
  evicted: number;
  failed: FailedKeys[];
  /** The first of those that were left out as damaged; `failed` counts all. */
  damaged: DamagedValue[];
  /** What is wrong with the dump itself, where that was to be passed over: more keys than are counted here may be lost. */
  problems: string[];
}

/** Why a key of a database that is not there cannot be written. */
export const lackOfDatabase = /^the server has no database \d+:/;

/** Of every value that is left out as damaged. */
export const isDamaged = 'what the dump has of it is damaged';

const examples = 5;
/** Named by the result itself: whoever wants more has them written into a file. */
const mostDamaged = 20;
const mostProblems = 5;
/** Different reasons are few; a server that words each one anew must not fill our memory. */
const mostReasons = 20;

export function noCounts(): TallyCounts {
  const lists = { failed: [], damaged: [], problems: [] };
  return { written: 0, bytes: 0, existing: 0, expired: 0, empty: 0, passed: 0, evicted: 0, ...lists };
}

/** Counts outcomes, and keeps a few keys of each failure. */
export class Tally {
  readonly counts: TallyCounts;
  readonly #onDamaged: (value: DamagedValue) => void;

  /** `onDamaged`: is told each value that is left out as damaged. */
  constructor(counts = noCounts(), onDamaged: (value: DamagedValue) => void = () => {}) {
    this.#onDamaged = onDamaged;
    // What an older agent has noted may lack some.
    this.counts = structuredClone({ ...noCounts(), ...counts });
  }

  fail(reason: string, key: Uint8Array): void {
    const { failed } = this.counts;
    let entry = failed.find((known) => known.reason === reason);
    if (entry === undefined) {
      const other = failed.length >= mostReasons ? 'other reasons' : reason;
      entry = failed.find((known) => known.reason === other) ?? { reason: other, keys: 0, examples: [] };
      if (!failed.includes(entry)) failed.push(entry);
    }
    entry.keys++;
    if (entry.examples.length < examples) entry.examples.push(printableKey(key));
  }

  /** A value of `database` of the dump is left out, since it is damaged. */
  leaveOut(database: number, key: Uint8Array, why: string): void {
    const value = { database, key: printableKey(key, longestKey), why: printable(why) };
    this.#onDamaged(value);
    this.fail(isDamaged, key);
    const { damaged } = this.counts;
    if (damaged.length < mostDamaged) damaged.push({ ...value, key: printableKey(key) });
  }

  /** Something is wrong with the dump itself. */
  note(problem: string): void {
    const { problems } = this.counts;
    if (problems.length < mostProblems && !problems.includes(problem)) problems.push(problem);
  }

  get failedKeys(): number {
    return this.counts.failed.reduce((sum, { keys }) => sum + keys, 0);
  }
}

/** Shown of a key, in bytes. */
const shownBytes = 64;
/** The same in a file, where nobody's screen fills up. */
const longestKey = 4096;

/** A key, or its beginning, for people. */
export function printableKey(key: Uint8Array, longest = shownBytes): string {
  if (key.length === 0) return '""';
  const cut = key.length > longest;
  const shown = cut ? key.subarray(0, wholeCharacters(key, longest)) : key;
  const text = decodeUtf8(shown);
  return (text === undefined ? escapeBytes(shown) : printable(text)) + (cut ? '…' : '');
}
