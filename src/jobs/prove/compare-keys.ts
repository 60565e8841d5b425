import { decodeAgain } from '../../backup/artefact/decode.ts';
import { compareCounts, without } from '../../backup/verify/compare-counts.ts';
import type { KeyCount, Manifest } from '../../domain/backup.ts';
import { RdbError } from '../../formats/rdb/rdb-handler.ts';
import { RdbReader } from '../../formats/rdb/rdb-reader.ts';
import { EmptyKeys } from '../../formats/rdb/whole/empty-keys.ts';
import type { JobContext } from '../job.ts';
import { rdbOf } from './artefact-of.ts';

type Counts = Record<string, KeyCount>;

/**
 * Does a server that has loaded a backup hold what its manifest says, or all of it but the empty keys, which servers leave
 * out? Returns what is wrong, or undefined. Only where the counts differ the dump is read once more.
 */
export async function compareKeys(
  context: JobContext,
  manifest: Manifest,
  loaded: Counts,
): Promise<string | undefined> {
  const { keyspace } = manifest;
  const problem = compareCounts(keyspace, loaded);
  if (problem === undefined) return undefined;
  const left = await leftOut(context, manifest);
  if (left === undefined) return problem;
  return compareCounts({ ...keyspace, databases: without(keyspace.databases, left) }, loaded);
}

/** The empty keys of a backup, by database; undefined where it has none, or is no dump. */
export async function leftOut(context: JobContext, manifest: Manifest): Promise<Counts | undefined> {
  if (manifest.kind !== 'rdb') return undefined;
  const { repository, signal } = context;
  const artefact = rdbOf(manifest, 'its keys are counted');
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  const empty = new EmptyKeys();
  const reader = new RdbReader(empty, { withoutChecksum: true });
  try {
    for await (const chunk of decodeAgain(chunks, artefact, { identities: context.identities(), signal }))
      reader.update(chunk);
    reader.finish();
  } catch (error) {
    // What cannot be read explains no difference.
    if (!(error instanceof RdbError)) throw error;
    return undefined;
  }
  return empty.count === 0 ? undefined : empty.databases;
}
