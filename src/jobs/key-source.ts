import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { decodeRdb } from '../backup/artefact/decode.ts';
import type { Repository } from '../backup/repository.ts';
import { storedAsIs, type Manifest } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import type { KeyspaceSummary } from '../domain/keyspace.ts';
import { isZstd } from '../formats/zstd/frame-header.ts';
import { decompressZstd } from '../formats/zstd/decompress.ts';
import { awaitLater } from '../lib/await-later.ts';
import { describeReadFailure } from '../lib/file-owner.ts';
import { rdbOf } from './artefact-of.ts';
import { countKeys } from './backup.ts';

/** A dump that keys are taken from. */
export interface KeySource {
  /** report: a file that is no dump, but what `keys --json` printed of one. */
  kind: 'backup' | 'file' | 'report' | 'input';
  /** For people: `backup 2026… of main`, a path. */
  name: string;
  /** Tells this dump from every other; undefined when nobody can know whether the next one is the same. */
  identity: string | undefined;
  /** Can it be read more than once? */
  again: boolean;
  /** Is every block proven before it is handed over? Else it shows only at the end whether it is sound. */
  provenByBlock: boolean;
  /** Bytes that `open` will give; undefined where that is not known before. */
  bytes: number | undefined;
  manifest: Manifest | undefined;
  /** The dump as the server wrote it. A chunk is valid until the next one is asked for. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The report that is kept of it; undefined where there is none. Throws an AgentError where it is not sound. */
  report(signal: AbortSignal): Promise<KeyspaceSummary | undefined>;
}

const chunkBytes = 512 * 1024;
/** No dump begins with it. */
const startOfJson = Buffer.from('{');
/** More than `keys --json` prints, with the most keys and prefixes, and the longest names. */
const longestReport = 32 * 1024 * 1024;

/**
 * A backup of a repository, proven as a whole at its end. What is compressed or encrypted has its blocks proven before they
 * are handed over, which nothing does for what is stored as it is.
 */
export function backupSource(
  { repository, identities }: { repository: Repository; identities: () => string[] },
  manifest: Manifest,
): KeySource {
  const artefact = rdbOf(manifest, 'keys are read');
  return {
    kind: 'backup',
    name: `backup ${manifest.id} of ${manifest.instance}`,
    identity: `${manifest.instance}/${manifest.id}/${artefact.plain.sha256}`,
    again: true,
    provenByBlock: !storedAsIs(artefact),
    bytes: artefact.plain.bytes,
    manifest,
    async *open(signal) {
      const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), {
        signal,
      });
      const others = 'see which others are sound: redis-agent backups verify --all';
      yield* named(this.name, decodeRdb(chunks, artefact, { identities: identities(), signal }), others);
    },
    async report(signal) {
      const report = await repository.readKeyspace(manifest.id, signal);
      const keys = countKeys(manifest);
      if (report === undefined || !manifest.keyspace.exact || report.totals.keys === keys) return report;
      throw new AgentError(
        'damaged',
        `keys.json of backup ${manifest.id} is of another dump: it has ${report.totals.keys} keys, the backup ${keys}`,
      );
    },
  };
}

/** A dump.rdb, or one that zstd has compressed; or a report. */
export async function fileSource(path: string): Promise<KeySource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!stats.isFile())
    throw new AgentError('usage', `${path} is not a regular file`, {
      hint: 'name a dump.rdb, a backup id, latest or -',
    });
  // Each reading has to be of this file: a server puts its next dump in its place.
  const identity = identityOf(path, stats);
  const read = (signal: AbortSignal): AsyncIterable<Uint8Array> => readFile(path, identity, signal);
  const start = await firstChunk(read);
  const compressed = isZstd(start);
  const isReport = startsWith(start, startOfJson);
  return {
    kind: isReport ? 'report' : 'file',
    name: path,
    identity,
    again: true,
    provenByBlock: false,
    bytes: compressed ? undefined : stats.size,
    manifest: undefined,
    open: (signal) => named(path, unpacked(path, read(signal), signal)),
    report: async (signal) => (isReport ? await readReport(path, stats.size, read(signal)) : undefined),
  };
}

function identityOf(path: string, { dev, ino, size, mtimeMs }: Stats): string {
  return `${resolve(path)} ${dev} ${ino} ${size} ${mtimeMs}`;
}

/** What comes in, once; plain or zstd. */
export function inputSource(input: Readable): KeySource {
  const name = 'standard input';
  return {
    kind: 'input',
    name,
    identity: undefined,
    again: false,
    provenByBlock: false,
    bytes: undefined,
    manifest: undefined,
    open: (signal) => named(name, unpacked(name, readInput(input, signal), signal)),
    report: async () => undefined,
  };
}

/** What such files begin with, and what to do with them: a sound one must not be called a damaged dump. */
const noDumps: readonly [start: Buffer, what: string, hint: string][] = [
  [
    Buffer.from('age-encryption.org/v1'),
    'is encrypted',
    'decrypt it on its way: age -d -i KEY FILE | redis-agent … -',
  ],
  [
    Buffer.from([0x1f, 0x8b]),
    'is compressed with gzip',
    'unpack it on its way: gzip -dc FILE | redis-agent … -',
  ],
  [Buffer.from('*'), 'is an append only file', 'see: redis-agent aof check --help'],
];
const longestStart = 21;

/** Decompressed where it is zstd. Throws an AgentError for what is another kind of file. */
async function* unpacked(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = chunks[Symbol.asyncIterator]();
  let start: Uint8Array = Buffer.alloc(0);
  async function* all(): AsyncGenerator<Uint8Array> {
    yield start;
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) yield next.value;
  }
  try {
    while (start.length < longestStart) {
      const next = await reader.next();
      if (next.done === true) break;
      start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
    }
    const other = noDumps.find(([magic]) => startsWith(start, magic));
    if (other !== undefined) throw new AgentError('usage', `${name} ${other[1]}`, { hint: other[2] });
    yield* isZstd(start) ? decompressZstd(all(), { signal }) : all();
  } finally {
    await reader.return?.();
  }
}

/** Says in what was damaged where it was found. */
async function* named(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  hint?: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'damaged') throw error;
    const { message, reason } = error;
    throw new AgentError('damaged', `${name}: ${message}`, {
      cause: error,
      ...(reason === undefined ? {} : { reason }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** Ends at once when it is aborted, also where nothing comes: its end would seem to be that of the dump. */
async function* readInput(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = (): void => void input.destroy(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array | string>)
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Reads on while the chunk before is looked at. */
async function* readFile(path: string, identity: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (identityOf(path, await file.stat()) !== identity) {
    await file.close();
    throw new AgentError('failed', `${path} was replaced or written to while it was in use`, {
      reason: 'replaced',
      hint: 'copy it to where nobody does that, and name the copy',
    });
  }
  let [buffer, other] = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
  let reading = awaitLater(file.read(buffer, 0, chunkBytes));
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      [buffer, other] = [other, buffer];
      reading = awaitLater(file.read(buffer, 0, chunkBytes));
      yield other.subarray(0, bytesRead);
    }
  } finally {
    await Promise.allSettled([reading]);
    await file.close();
  }
}

/** At most `chunkBytes` of it. */
async function firstChunk(read: (signal: AbortSignal) => AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of read(new AbortController().signal)) return chunk;
  return Buffer.alloc(0);
}

function startsWith(bytes: Uint8Array, magic: Buffer): boolean {
  return magic.equals(bytes.subarray(0, magic.length));
}

async function readReport(
  path: string,
  bytes: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<KeyspaceSummary> {
  const name = `report ${path}`;
  if (bytes > longestReport)
    throw new AgentError('usage', `${name} is too large to be one (${bytes} bytes)`, {
      hint: 'name what redis-agent keys --json printed',
    });
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  // Validates with zod, which nothing else that is done with a file needs.
  const { parseKeyspace } = await import('../backup/kept-report.ts');
  return parseKeyspace(Buffer.concat(parts).toString('utf8'), name);
}

function unreadable(path: string, cause: unknown): AgentError {
  return new AgentError('usage', `cannot read ${path}: ${describeReadFailure(path, cause)}`, {
    cause,
    hint: 'name a dump.rdb, a backup id, latest or - for standard input',
  });
}
