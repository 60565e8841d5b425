import { createHash } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import {
  AofScanner,
  faultOf,
  type AofEnd,
  type AofPreamble,
  type AofScan,
} from '../../formats/aof/aof-scanner.ts';
import type { CommandCheck } from '../../formats/aof/command-check.ts';
import { describeDatabases, describePassed, passedOver } from '../../formats/rdb/whole/describe-passed.ts';
import { DumpRules } from '../../formats/rdb/whole/dump-rules.ts';
import { findTwins } from '../../formats/rdb/whole/find-twins.ts';
import { randomWords } from '../../lib/text/random-words.ts';
import type { OpenAofFile } from './open-set.ts';
import { becameShorter, readRange } from './read-range.ts';

/** What is known of a file: every byte up to `sound` was read and found right. Kept between runs. */
export interface VerifiedAof {
  name: string;
  identity: OpenAofFile['identity'];
  size: number;
  modified: string;
  sound: number;
  commands: number;
  timestamps: { first: number; last: number } | null;
  preamble: AofPreamble | null;
  /** SHA-256 of the last bytes before `sound`: an inode's number may have been given to another file. */
  probe: string;
  /** When all of it was last read, milliseconds since 1970. */
  whole_at: number;
}

/** One file of a set after it was read. */
export interface ScannedAof {
  file: OpenAofFile;
  /** Where this reading began; 0 when all of it was read. */
  from: number;
  /** Commands and timestamps count from the file's start, wherever the reading began. */
  scan: AofScan;
  /** What servers live with in the dump at its start, as far as that was read now. */
  passed: { notes: string[]; empty: boolean };
}

export interface ScanOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Bytes read further on. */
  onProgress: (bytes: number) => void;
  /** Decode every value of a dump that a file starts with, and ask of it all that a server asks? */
  deep?: boolean;
  /** Takes note of each command. */
  commands?: CommandCheck | undefined;
}

const probeBytes = 4096;
/** Disks rot: what was right once is read again after this long. Milliseconds. */
const wholeEvery = 7 * 24 * 60 * 60 * 1000;
/** A tail may be on its way when we look: how often and how long to wait for the rest of it. Milliseconds. */
const settleAttempts = 5;
const settlePause = 200;

/** Reads one file: all of it, or what `before` does not vouch for. */
export async function scanAofFile(
  file: OpenAofFile,
  before: VerifiedAof | undefined,
  options: ScanOptions & { isLast: boolean },
): Promise<ScannedAof> {
  const known = before !== undefined && (await isKnown(file, before, options)) ? before : undefined;
  const from = known?.sound ?? 0;
  const rules = options.deep === true ? new DumpRules(randomWords(), { bytes: file.size }) : undefined;
  const { commands } = options;
  const scanner = new AofScanner({
    offset: from,
    preamble: file.listed?.type !== 'i',
    rules,
    ...(commands && { onCommand: (command) => commands.note(file.name, command) }),
  });
  await feed(scanner, file, from, options);
  const moving = options.isLast && (await settle(scanner, file, options));
  const scan = moving ? withoutTail(scanner.result()) : scanner.result();
  const result = rules === undefined ? scan : await withoutTwins(scan, rules, file, options);
  file.size = result.bytes;
  return {
    file,
    from,
    scan: known === undefined ? result : joined(known, result),
    passed:
      rules === undefined
        ? { notes: [], empty: false }
        : {
            notes: [...describePassed(passedOver(rules)), ...describeDatabases(rules.highestDatabase)],
            empty: rules.empty.count > 0,
          },
  };
}

/** The dump that it starts with is read once more where a key may be in it twice, which servers end at. */
async function withoutTwins(
  scan: AofScan,
  rules: DumpRules,
  { handle, name }: OpenAofFile,
  { signal }: ScanOptions,
): Promise<AofScan> {
  const { preamble } = scan;
  if (preamble === undefined || rules.distinct) return scan;
  try {
    await findTwins(rules.twins, async () =>
      readRange(handle, { from: 0, to: preamble.bytes, name, signal }),
    );
    return scan;
  } catch (error) {
    return { ...scan, sound: 0, soundCommands: 0, end: faultOf(error, preamble.version) };
  }
}

/** What to remember of it; undefined when something is wrong with it, which is to be seen anew each time. */
export async function rememberAofFile(
  { file, from, scan }: ScannedAof,
  before: VerifiedAof | undefined,
  { clock, signal }: Pick<ScanOptions, 'clock' | 'signal'>,
): Promise<VerifiedAof | undefined> {
  if (scan.end.state !== 'ok' && scan.end.state !== 'torn') return undefined;
  return {
    name: file.name,
    identity: file.identity,
    size: file.size,
    modified: file.modified,
    sound: scan.sound,
    commands: scan.soundCommands,
    timestamps: scan.timestamps ?? null,
    preamble: scan.preamble ?? null,
    probe: await probe(file, scan.sound, signal),
    whole_at: from === 0 ? clock.now() : (before?.whole_at ?? 0),
  };
}

async function isKnown(
  file: OpenAofFile,
  before: VerifiedAof,
  { clock, signal }: ScanOptions,
): Promise<boolean> {
  const { identity } = before;
  const same =
    identity.dev === file.identity.dev &&
    identity.ino === file.identity.ino &&
    identity.birth === file.identity.birth;
  if (!same || file.size < before.size || before.sound > before.size) return false;
  // A change that added nothing was no appending.
  if (file.size === before.size && file.modified !== before.modified) return false;
  const age = clock.now() - before.whole_at;
  if (age < 0 || age > wholeEvery) return false;
  return (await probe(file, before.sound, signal)) === before.probe;
}

async function probe({ handle, name }: OpenAofFile, sound: number, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const range = { from: Math.max(0, sound - probeBytes), to: sound, name, signal };
  for await (const chunk of readRange(handle, range)) hash.update(chunk);
  return hash.digest('hex');
}

async function feed(
  scanner: AofScanner,
  { handle, name, size }: OpenAofFile,
  from: number,
  { signal, onProgress }: ScanOptions,
): Promise<void> {
  for await (const chunk of readRange(handle, { from, to: size, name, signal })) {
    scanner.update(chunk);
    onProgress(chunk.length);
  }
}

/**
 * A server at work may be writing the tail just now: reads on until what was torn is whole, or nothing more comes.
 * Resolves with whether it moved.
 */
async function settle(scanner: AofScanner, file: OpenAofFile, options: ScanOptions): Promise<boolean> {
  const torn = scanner.result();
  if (!canGrow(torn.end)) return false;
  for (let attempt = 0; attempt < settleAttempts; attempt++) {
    await options.clock.sleep(settlePause, options.signal);
    const from = file.size;
    if (await grow(file)) await feed(scanner, file, from, options);
    if (scanner.result().sound > torn.sound) return true;
  }
  return false;
}

function canGrow(end: AofEnd): boolean {
  return end.state === 'torn' && end.inside !== 'preamble';
}

async function grow(file: OpenAofFile): Promise<boolean> {
  const { size, mtimeNs } = await file.handle.stat({ bigint: true });
  const before = file.size;
  if (Number(size) < before) throw becameShorter(file.name, Number(size), before);
  file.size = Number(size);
  file.modified = String(mtimeNs);
  return file.size > before;
}

/** What has been begun since is no part of what was looked at. */
function withoutTail(scan: AofScan): AofScan {
  if (scan.end.state !== 'torn') return scan;
  return { ...scan, bytes: scan.sound, commands: scan.soundCommands, end: { state: 'ok' } };
}

function joined(known: VerifiedAof, scan: AofScan): AofScan {
  const timestamps = scan.timestamps ?? known.timestamps ?? undefined;
  return {
    ...scan,
    commands: known.commands + scan.commands,
    soundCommands: known.commands + scan.soundCommands,
    timestamps: timestamps && { ...timestamps, first: known.timestamps?.first ?? timestamps.first },
    preamble: known.preamble ?? undefined,
  };
}
