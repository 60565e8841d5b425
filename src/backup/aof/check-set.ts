import { AgentError } from '../../domain/errors.ts';
import type { AofSource } from './aof-source.ts';
import { describeCut, type AofCut } from './describe-cut.ts';
import type { AofProblem } from './facts.ts';
import { judgeAofSet } from './judge-set.ts';
import { findUnlisted, openAofSet, type OpenAofSet } from './open-set.ts';
import {
  rememberAofFile,
  scanAofFile,
  type ScannedAof,
  type ScanOptions,
  type VerifiedAof,
} from './scan-file.ts';

export interface CheckSetOptions extends Omit<ScanOptions, 'onProgress'> {
  /** Is it the AOF of a running server? */
  live: boolean;
  /** `aof_current_size` of the server that writes it. */
  written?: number | undefined;
  /** `aof-load-truncated`, where it is known. */
  loadTruncated: boolean | undefined;
  /** What earlier runs have verified; empty: everything is read. */
  known: readonly VerifiedAof[];
  /** Called when the files are open: their lengths are of that moment. */
  onOpened?: (set: OpenAofSet) => Promise<void>;
  /** Bytes read, and how many there are to read at most. */
  onProgress: (done: number, total: number) => void;
}

/** What our own reading found. Disposing closes the files. */
export interface CheckedAof extends AsyncDisposable {
  /** undefined when its manifest is one that no server would load. */
  set: OpenAofSet | undefined;
  scanned: ScannedAof[];
  cuts: AofCut[];
  problems: AofProblem[];
  /** To be handed in as `known` the next time. */
  verified: VerifiedAof[];
}

const attempts = 3;
/** How long a file may be there before its manifest is: longer than a server takes from one to the other. Milliseconds. */
const unlistedPause = 1000;

/**
 * Reads a set in place and judges it, while the server goes on; nothing is written. Resolves with undefined when there is
 * no AOF. Throws an AgentError `failed` when files cannot be read.
 */
export async function checkAofSet(
  source: AofSource,
  options: CheckSetOptions,
): Promise<CheckedAof | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptCheck(source, options);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      if (error.reason === 'manifest') return unloadable(error);
      // A server that starts cuts off a torn tail: then there is another set to be looked at.
      if (error.reason !== 'changed' || attempt === attempts) throw error;
    }
  }
}

async function attemptCheck(source: AofSource, options: CheckSetOptions): Promise<CheckedAof | undefined> {
  const set = await openAofSet(source, options);
  if (set === undefined) return undefined;
  try {
    await options.onOpened?.(set);
    const scanned = await scanAll(set, options);
    const cuts: AofCut[] = [];
    for (const each of scanned)
      if (each.scan.end.state !== 'ok' && each.scan.end.state !== 'unknown')
        cuts.push(await describeCut(each, options.signal));
    const problems = judgeAofSet({
      files: scanned.map(({ file, scan }) => ({
        name: file.name,
        type: file.listed?.type === 'b' || file.listed?.type === 'i' ? file.listed.type : 'single',
        seq: file.listed?.seq,
        extra: file.listed?.extra ?? [],
        size: file.size,
        modified: file.modified,
        scan,
      })),
      manifest: set.manifest,
      missing: set.missing.map(({ name }) => name),
      unmoved: set.unmoved,
      unlisted: await unlisted(source, options),
      cuts,
      live: options.live,
      written: options.written,
      loadTruncated: options.loadTruncated,
    });
    const verified = await rememberAll(scanned, options);
    return {
      set,
      scanned,
      cuts,
      problems: [...problems, ...scanned.flatMap(notesOf)],
      verified,
      [Symbol.asyncDispose]: () => set[Symbol.asyncDispose](),
    };
  } catch (error) {
    await set[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is worth knowing of a sound dump, and no problem. */
function notesOf({ file: { name }, scan, passed }: ScannedAof): AofProblem[] {
  if (scan.end.state !== 'ok') return [];
  return passed.notes.map((note) => ({
    verdict: 'unexpected',
    severity: 'info',
    file: name,
    summary: `${name}: ${note}`,
    remedy: 'nothing: the server that wrote it loads it',
  }));
}

async function scanAll(set: OpenAofSet, options: CheckSetOptions): Promise<ScannedAof[]> {
  const total = set.files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const onProgress = (bytes: number): void => {
    done += bytes;
    options.onProgress(done, total);
  };
  const scanned: ScannedAof[] = [];
  for (const file of set.files) {
    const before = options.known.find(({ name }) => name === file.name);
    const isLast = file === set.files.at(-1) && set.missing.length === 0;
    scanned.push(await scanAofFile(file, before, { ...options, onProgress, isLast }));
  }
  return scanned;
}

async function rememberAll(scanned: ScannedAof[], options: CheckSetOptions): Promise<VerifiedAof[]> {
  const verified: VerifiedAof[] = [];
  for (const each of scanned) {
    const before = options.known.find(({ name }) => name === each.file.name);
    const remembered = await rememberAofFile(each, before, options);
    if (remembered !== undefined) verified.push(remembered);
  }
  return verified;
}

/** A file is there a moment before the manifest that lists it, and one after it was dropped from it. */
async function unlisted(source: AofSource, { clock, signal }: CheckSetOptions): Promise<string[]> {
  const first = await findUnlisted(source);
  if (first.length === 0) return [];
  await clock.sleep(unlistedPause, signal);
  const second = await findUnlisted(source);
  return first.filter((name) => second.includes(name));
}

function unloadable({ message }: AgentError): CheckedAof {
  const problem: AofProblem = {
    verdict: 'sequence',
    severity: 'critical',
    file: null,
    summary: `the manifest cannot be loaded: ${message}`,
    remedy: 'do not restart the server with it; while it runs, BGREWRITEAOF writes a sound one',
  };
  return {
    set: undefined,
    scanned: [],
    cuts: [],
    problems: [problem],
    verified: [],
    async [Symbol.asyncDispose]() {},
  };
}
