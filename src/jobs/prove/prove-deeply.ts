import { decodeAgain, decodeRdb } from '../../backup/artefact/decode.ts';
import { BlockRecorder, vetted, type BlockDigests } from '../../backup/restore/vetted-blocks.ts';
import type { Artefact, KeyCount, Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { ContentCounter } from '../../formats/rdb/content-counter.ts';
import { expandDump, Growth } from '../../formats/rdb/expand-dump.ts';
import { formsDiffer, OddEntries } from '../../formats/rdb/listpack-form.ts';
import { placeOf } from '../../formats/rdb/rdb-check.ts';
import { RdbError, type RdbHandler, type RdbRecord, type ValueWish } from '../../formats/rdb/rdb-handler.ts';
import { RdbReader } from '../../formats/rdb/rdb-reader.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';
import { ValueDecoder } from '../../formats/rdb/value-decoder.ts';
import { printable } from '../../lib/printable.ts';
import { rdbOf } from './artefact-of.ts';
import type { JobContext } from '../job.ts';

/** What a backup is, every value of it decoded. */
export interface DeepProof {
  version: RdbVersion;
  /** By database number, counted in the file. */
  databases: Record<string, KeyCount>;
  /** The highest that the file names, with keys or without: a server ends at one that it does not have. */
  highestDatabase: number;
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
  server: Pick<Manifest['server'], 'engine' | 'version'>,
): Promise<DeepProof> {
  const { bytes: total } = rdbOf(manifest, 'a server takes over data').plain;
  const blocks = new BlockRecorder();
  const growth = new Growth();
  const content = new DeepContent();
  const odd = new OddEntries();
  // Without methods to call a decoder is faster.
  const sink = new ValueDecoder(formsDiffer(manifest.server, server) ? odd : {});
  const reader = new RdbReader(content, { sink, withoutChecksum: true });
  let done = 0;
  try {
    const dump = decodeRdb(...(await stored(context, manifest, context.signal)));
    for await (const chunk of dump) {
      blocks.update(chunk);
      growth.update(chunk);
      reader.update(chunk);
      done += chunk.length;
      context.progress.report({ phase: 'verifying', done, total, unit: 'bytes' });
    }
    const { version } = reader.finish();
    return {
      version,
      databases: content.databases(),
      highestDatabase: content.highestDatabase,
      modules: [...content.modules],
      oddEntries: odd.count,
      growth: growth.bytes,
      blocks: blocks.finish(),
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
  highestDatabase = 0;

  database(database: number): void {
    this.highestDatabase = Math.max(this.highestDatabase, database);
  }

  moduleAux(module: string): void {
    this.modules.add(module);
  }

  wish({ type }: RdbRecord): ValueWish {
    if (type.data !== 'module') return 'tokens';
    this.modules.add('a module’s own type');
    return 'skip';
  }

  record(record: RdbRecord): void {
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
