import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContentDigest } from '../../backup/drill/content-digest.ts';
import type { KeyCount } from '../../domain/backup.ts';
import type { DrillComparison } from '../../domain/drill.ts';
import { infoKeyspace } from '../../formats/info/parse-info.ts';
import { startScratchServer, type ScratchServer } from '../../redis/scratch/scratch-server.ts';
import { readInfo } from '../../redis/server.ts';
import { compareWith, digestFile, unreadable } from './compare.ts';
import { scratchDatabases } from '../prove/scratch-databases.ts';
import type { Rehearsal, Staged } from './stage.ts';
import type { JobContext } from '../job.ts';

/** Starts a server of the instance's version with the backup; it has loaded everything when this resolves. */
export async function loadStaged(
  context: JobContext,
  { tool, manifest, server: { engine } }: Rehearsal,
  { source }: Pick<Staged, 'source'>,
): Promise<{ server: ScratchServer; databases: Record<string, KeyCount> }> {
  const { clock, signal, progress, scratch } = context;
  progress.report({ phase: 'loading' });
  const server = await startScratchServer({
    program: { path: tool.path, argv0: `${engine}-server` },
    directory: scratch,
    databases: await scratchDatabases(context, manifest.keyspace.databases),
    ...source,
    clock,
    signal,
    onProgress: (share) => progress.report({ phase: 'loading', done: share, total: 1 }),
  });
  try {
    return { server, databases: infoKeyspace(await readInfo(server.connection)) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * Has the server write all that it holds, ends it, and compares that with the dump, value by value. Returns why that is not
 * possible, where the dump holds what this agent cannot read.
 */
export async function compareLoaded(
  { signal, progress }: JobContext,
  { artefact, folder }: Rehearsal,
  { file, server }: { file: string; server: ScratchServer },
): Promise<DrillComparison | string> {
  // Both are read once, and the server's file is about as long.
  const total = 2 * artefact.plain.bytes;
  let done = 0;
  const onRead = (bytes: number): void => {
    done += bytes;
    progress.report({ phase: 'comparing', done: Math.min(done, total), total, unit: 'bytes' });
  };
  const saved = server.save();
  // Awaited below; until then a failure is nobody's.
  saved.catch(() => {});
  let digest: ContentDigest;
  try {
    digest = await digestFile(file, signal, { onRead });
  } catch (error) {
    return unreadable(error);
  }
  const written = join(folder, 'written.rdb');
  await rename(await saved, written);
  await server.stop();
  const withNames = artefact.encryption === null;
  return await compareWith({ digest, file, withNames }, written, signal, onRead);
}
