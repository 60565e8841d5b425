import { counted } from '../../lib/text/counted.ts';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { decodeRdb } from '../../backup/artefact/decode.ts';
import type { Repository } from '../../backup/repository.ts';
import { storedAsIs, type Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { KeyspaceSummary } from '../../domain/keyspace.ts';
import { isZstd } from '../../formats/zstd/frame-header.ts';
import { rdbOf } from '../prove/artefact-of.ts';
import { countKeys } from '../backup/backup.ts';
import {
  firstChunk,
  identityOf,
  named,
  readFile,
  readInput,
  startsWith,
  unpacked,
  unreadable,
} from './dump-chunks.ts';

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
        `keys.json of backup ${manifest.id} is of another dump: it has ${counted(report.totals.keys, 'key')}, the backup ${keys}`,
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
  const { parseKeyspace } = await import('../../backup/kept-report.ts');
  return parseKeyspace(Buffer.concat(parts).toString('utf8'), name);
}
