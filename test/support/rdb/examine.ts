import {
  RdbError,
  type RdbHandler,
  type RdbRecord,
  type TokenSink,
} from '../../../src/formats/rdb/rdb-handler.ts';
import { LoneValueReader } from '../../../src/formats/rdb/lone-value.ts';
import { RdbReader } from '../../../src/formats/rdb/rdb-reader.ts';
import { ValueDecoder } from '../../../src/formats/rdb/value-decoder.ts';
import { feed } from './feed.ts';
import { readBothWays } from './read-both-ways.ts';

/** What one way of reading found: a line for each record, and how it ended. */
interface Outcome {
  records: string[];
  end: string;
  sound: boolean;
}

const ignore = (): void => undefined;
const deaf: TokenSink = {
  begin: ignore,
  string: ignore,
  skipped: ignore,
  number: ignore,
  bytes8: ignore,
  bytes16: ignore,
  end: ignore,
};

/**
 * Reads a file in every way there is and compares them: right or wrong, skimming, raw values and tokens must agree,
 * any chunks must give the same, and nothing but an RdbError may be thrown. What is amiss, or undefined.
 */
export function examine(bytes: Uint8Array, chunks: readonly number[]): string | undefined {
  const skim = read(bytes, [bytes.length], {});
  const chunked = read(bytes, chunks, {});
  const plain = read(bytes, chunks, { wish: () => 'tokens' }, deaf);
  const deep = read(bytes, chunks, { wish: () => 'tokens' }, new ValueDecoder());
  const wholeDeep = read(bytes, [bytes.length], { wish: () => 'tokens' }, new ValueDecoder());
  const raw = readRaw(bytes, chunks);
  return (
    differ('skim', skim, 'skim in chunks', chunked) ??
    differ('skim', skim, 'raw', raw.outcome) ??
    differ('deep', wholeDeep, 'deep in chunks', deep) ??
    differBefore('skim', skim, 'tokens', plain) ??
    differBefore('tokens', plain, 'deep', deep) ??
    compareReports(bytes, chunks) ??
    (deep.sound && raw.fault !== undefined
      ? `deep finds nothing, reading raw values: ${raw.fault}`
      : undefined) ??
    (skim.sound && plain.sound && !deep.sound && raw.fault === undefined
      ? `deep finds ${deep.end}, reading raw values nothing`
      : undefined)
  );
}

/** What a backup says of a file, with the scanner's kernel and without it. `top: 0`: the kernel stops at large keys. */
function compareReports(bytes: Uint8Array, chunks: readonly number[]): string | undefined {
  const { scanned, portable } = readBothWays(bytes, chunks, { separator: ':', top: 0 });
  const [one, other] = [JSON.stringify(scanned.found), JSON.stringify(portable.found)];
  return one === other ? undefined : `the scanner finds ${one}, and without it ${other}`;
}

function read(bytes: Uint8Array, chunks: readonly number[], handler: RdbHandler, sink?: TokenSink): Outcome {
  const records: string[] = [];
  const noting: RdbHandler = {
    ...handler,
    record: (record, raw) => {
      records.push(lineOf(record));
      handler.record?.(record, raw);
    },
  };
  const reader = new RdbReader(noting, sink === undefined ? {} : { sink });
  try {
    feed(reader, bytes, chunks);
    return { records, end: JSON.stringify(reader.finish()), sound: true };
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    // How much follows the end depends on what has come.
    const message = error.message.replace(/at least \d+/, 'some');
    return { records, end: `${error.kind}: ${message}`, sound: false };
  }
}

/** Raw values, each walked over by itself with a decoder. */
function readRaw(
  bytes: Uint8Array,
  chunks: readonly number[],
): { outcome: Outcome; fault: string | undefined } {
  let fault: string | undefined;
  const decoder = new ValueDecoder();
  const record = (found: RdbRecord, raw: Uint8Array | null | undefined): void => {
    if (!(raw instanceof Uint8Array) || raw.length !== found.valueBytes)
      throw new Error(`record ${found.index} has no raw value`);
    try {
      new LoneValueReader().read(found, raw, decoder);
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      fault ??= error.message;
    }
  };
  return { outcome: read(bytes, chunks, { wish: () => 'raw', record }), fault };
}

function lineOf(record: RdbRecord): string {
  const { type, bytes, keyFrom, keyTo, ...facts } = record;
  return `${type.code} ${Buffer.from(bytes.subarray(keyFrom, keyTo)).toString('hex')} ${Object.values(facts).join(' ')}`;
}

/** The same to the last word? A record that is skipped may be told of before its last byte has come. */
function differ(one: string, a: Outcome, other: string, b: Outcome): string | undefined {
  if (a.end !== b.end) return `${one}: ${a.end}; ${other}: ${b.end}`;
  const from = a.records.findIndex((line, at) => at < b.records.length && line !== b.records[at]);
  if (from >= 0) return `record ${from}: ${one}: ${a.records[from]}; ${other}: ${b.records[from]}`;
  return a.sound && a.records.length !== b.records.length
    ? `${one} and ${other} count differently`
    : undefined;
}

/** The second looks closer: it may fail where the first does not, and never the other way round. */
function differBefore(one: string, a: Outcome, other: string, b: Outcome): string | undefined {
  if (b.sound) return differ(one, a, other, b);
  const from = b.records.findIndex((line, at) => line !== a.records[at]);
  return from < 0 ? undefined : `record ${from}: ${one}: ${a.records[from]}; ${other}: ${b.records[from]}`;
}
