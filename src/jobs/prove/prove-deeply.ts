import { decodeAgain, decodeRdb } from '../../backup/artefact/decode.ts';
import { BlockRecorder, vetted, type BlockDigests } from '../../backup/restore/vetted-blocks.ts';
import type { Artefact, KeyCount, Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { ContentCounter } from '../../formats/rdb/content-counter.ts';
import { expandDump, Growth } from '../../formats/rdb/expand-dump.ts';
import { formsDiffer, OddEntries } from '../../formats/rdb/listpack-form.ts';
import { placeOf, withRules } from '../../formats/rdb/rdb-check.ts';
import { RdbError, type RdbHandler, type RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import { RdbReader } from '../../formats/rdb/rdb-reader.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';
import type { PassedOver } from '../../formats/rdb/whole/describe-passed.ts';
import { DumpRules } from '../../formats/rdb/whole/dump-rules.ts';
import { findTwins } from '../../formats/rdb/whole/find-twins.ts';
import { printable } from '../../lib/text/printable.ts';
import { randomWords } from '../../lib/text/random-words.ts';
import { without } from '../../backup/verify/compare-counts.ts';
import { rdbOf } from './artefact-of.ts';
import type { JobContext } from '../job.ts';

/** What a backup is, every value of it decoded. */
export interface DeepProof extends PassedOver {
  version: RdbVersion;
  /** By database number, counted in the file, less what a server leaves out. */
  databases: Record<string, KeyCount>;
  /** Of them, keys whose time was over when they were read. */
  expired: number;
  /** When that becomes one more, milliseconds since the epoch; null: never. */
  nextExpiry: number | null;
  /** The highest database that is selected, with or without keys. */
  highestDatabase: number;
  /** Function libraries, whose code is not judged. */
  libraries: number;
  /** Is no key there twice? False: that could not be told. */
  distinct: boolean;
  /** Modules that have data in it, which nobody but they can check. */
  modules: string[];
  /** Values that the server would read otherwise than they were written. */
  oddEntries: number;
  /** Bytes by which the dump grows when its strings are expanded. 0: it has none to be expanded. */
  growth: number;
  blocks: BlockDigests;
}

/** Bytes of a backup as they are stored, with what to decode them by. */
async function stored(
  context: JobContext,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<[AsyncIterable<Uint8Array>, Artefact, { identities: string[]; signal: AbortSignal }]> {
  const { repository } = context;
  const artefact = rdbOf(manifest, 'a server takes over data');
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  return [chunks, artefact, { identities: context.identities(), signal }];
}

/**
 * The dump of a backup that was proven, block by block: nothing of a block that is not what was proven. A chunk is valid
 * until the next one is asked for.
 */
export async function* readProven(
  context: JobContext,
  manifest: Manifest,
  { blocks }: Pick<DeepProof, 'blocks'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  yield* vetted(decodeAgain(...(await stored(context, manifest, signal))), blocks);
}

/** The same with its strings expanded, which a server loads faster: longer by the growth that was found. */
export async function* readExpanded(
  context: JobContext,
  manifest: Manifest,
  proof: Pick<DeepProof, 'blocks'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* expandDump(readProven(context, manifest, proof, signal));
  } catch (error) {
    throw error instanceof RdbError ? unusable(manifest, error) : error;
  }
}

/**
 * Reads all of a backup and decodes every value, since a server ends when it is sent what it cannot load; `server` will be. Throws an
 * AgentError: `damaged`, or `refused` when there is something in it that only a newer agent could check.
 */
export async function proveDeeply(
  context: JobContext,
  manifest: Manifest,
  server: ServerVersion,
): Promise<DeepProof> {
  const dump = decodeRdb(...(await stored(context, manifest, context.signal)));
  const again = (blocks: BlockDigests): AsyncIterable<Uint8Array> =>
    readProven(context, manifest, { blocks }, context.signal);
  return await readDeeply(context, manifest, { server, dump, again });
}

type ServerVersion = Pick<Manifest['server'], 'engine' | 'version'>;

/** The same of a dump whose bytes are known to be right; `again` reads it once more. */
export async function readDeeply(
  context: Pick<JobContext, 'clock' | 'progress'>,
  manifest: Manifest,
  {
    server,
    dump,
    again,
  }: {
    server: ServerVersion;
    dump: AsyncIterable<Uint8Array>;
    again: (blocks: BlockDigests) => AsyncIterable<Uint8Array>;
  },
): Promise<DeepProof> {
  const { bytes: total } = rdbOf(manifest, 'a server takes over data').plain;
  const blocks = new BlockRecorder();
  const growth = new Growth();
  const content = new DeepContent(context.clock.now());
  const odd = new OddEntries();
  // Without methods to call a decoder is faster.
  const elements = formsDiffer(manifest.server, server) ? odd : {};
  const rules = new DumpRules(randomWords(), { bytes: total, elements });
  const reader = new RdbReader(withRules(content, rules), { sink: rules.sink, withoutChecksum: true });
  let done = 0;
  try {
    for await (const chunk of dump) {
      blocks.update(chunk);
      growth.update(chunk);
      reader.update(chunk);
      done += chunk.length;
      context.progress.report({ phase: 'verifying', done, total, unit: 'bytes' });
    }
    const { version } = reader.finish();
    const found = blocks.finish();
    const distinct = await findTwins(rules.twins, async () => again(found));
    const { empty, staleStreams, libraries, highestDatabase, emptyByDatabase } = rules;
    return {
      version,
      databases: without(content.databases(), emptyByDatabase),
      expired: content.expired,
      nextExpiry: content.nextExpiry === Infinity ? null : content.nextExpiry,
      empty,
      stale_streams: staleStreams,
      libraries,
      highestDatabase,
      distinct,
      modules: [...content.modules],
      oddEntries: odd.count,
      growth: growth.bytes,
      blocks: found,
    };
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    throw unusable(manifest, error);
  }
}

/** Counts, and has every value decoded. */
class DeepContent implements RdbHandler {
  readonly #counter = new ContentCounter();
  readonly modules = new Set<string>();
  readonly #now: number;
  expired = 0;
  nextExpiry = Infinity;

  constructor(now: number) {
    this.#now = now;
  }

  moduleAux(module: string): void {
    this.modules.add(module);
  }

  record(record: RdbRecord): void {
    if (record.type.data === 'module') this.modules.add('a module’s own type');
    if (record.expiresAt > this.#now) this.nextExpiry = Math.min(this.nextExpiry, record.expiresAt);
    else if (record.expiresAt >= 0) this.expired++;
    this.#counter.record(record);
  }

  databases(): Record<string, KeyCount> {
    return this.#counter.content().databases;
  }
}

function unusable({ id }: Manifest, error: RdbError): AgentError {
  const place = printable(placeOf(error));
  if (error.kind === 'damaged')
    return new AgentError('damaged', `backup ${id} is damaged: ${place}`, {
      reason: 'corrupt',
      hint: 'use another one: redis-agent backups list',
      cause: error,
    });
  return new AgentError('refused', `backup ${id} cannot be checked value by value: ${place}`, {
    reason: 'unread',
    hint: 'use --method files',
    cause: error,
  });
}
