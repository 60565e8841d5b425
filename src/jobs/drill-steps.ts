import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRdb } from '../backup/artefact/decode.ts';
import type { ContentDigest } from '../backup/drill/content-digest.ts';
import type { Artefact, Engine, KeyCount, Manifest } from '../domain/backup.ts';
import type { Clock } from '../domain/clock.ts';
import type { DrillComparison } from '../domain/drill.ts';
import { AgentError } from '../domain/errors.ts';
import { infoKeyspace } from '../formats/info/parse-info.ts';
import { startScratchServer, type ScratchServer } from '../redis/scratch-server.ts';
import { readInfo } from '../redis/server.ts';
import { runCheckRdb, type CheckTool } from '../redis/tools.ts';
import { compareWith, digestFile, unreadable } from './drill-compare.ts';
import type { JobContext } from './job.ts';

/** One backup that is rehearsed, with what to rehearse it by and where. */
export interface Rehearsal {
  manifest: Manifest;
  artefact: Artefact;
  tool: CheckTool;
  /** The server of that tool. */
  server: { engine: Engine; version: string };
  /** Private, and ours. */
  folder: string;
}

/** Seconds from one moment to another, both in milliseconds. */
export function secondsFrom(start: number, end: number): number {
  return Math.round(end - start) / 1000;
}

/** Fetches and decodes the backup into a file, as a restore does. Every hash is right when it resolves. */
export async function fetchDump(
  context: JobContext,
  { manifest, artefact }: Rehearsal,
  file: string,
): Promise<{ fetch: number; decode: number }> {
  const { repository, clock, signal, progress } = context;
  const start = clock.monotonic();
  let [waited, done] = [0, 0];
  await using target = await open(file, 'wx', 0o600);
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  waited += clock.monotonic() - start;
  const stored = timed(chunks, clock, (time) => (waited += time));
  for await (const chunk of decodeRdb(stored, artefact, { identities: context.identities(), signal })) {
    await target.writeFile(chunk);
    done += chunk.length;
    progress.report({ phase: 'fetching', done, total: artefact.plain.bytes, unit: 'bytes' });
  }
  await target.datasync();
  const all = clock.monotonic() - start;
  return { fetch: secondsFrom(0, waited), decode: secondsFrom(0, Math.max(0, all - waited)) };
}

/** Tells how long each chunk was waited for. */
async function* timed(
  chunks: AsyncIterable<Uint8Array>,
  clock: Clock,
  onWait: (milliseconds: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let start = clock.monotonic();
  for await (const chunk of chunks) {
    onWait(clock.monotonic() - start);
    yield chunk;
    start = clock.monotonic();
  }
  onWait(clock.monotonic() - start);
}

/** Has the server's own tool read the dump. Throws an AgentError `damaged`. */
export async function checkDump(
  { signal, progress }: JobContext,
  { manifest, tool }: Rehearsal,
  file: string,
): Promise<void> {
  progress.report({ phase: 'checking' });
  const verdict = await runCheckRdb(tool, file, signal);
  if (!verdict.ok) throw new AgentError('damaged', `backup ${manifest.id}: ${verdict.summary}`);
}

/** Starts a server of the instance's version with the dump; it has loaded everything when this resolves. */
export async function loadDump(
  { clock, signal, progress, scratch }: JobContext,
  { tool, server: { engine } }: Rehearsal,
  dumpFile: string,
): Promise<{ server: ScratchServer; databases: Record<string, KeyCount> }> {
  const server = await startScratchServer({
    program: { path: tool.path, argv0: `${engine}-server` },
    directory: scratch,
    dumpFile,
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
  { manifest, artefact, folder }: Rehearsal,
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
    return unreadable(manifest.id, error);
  }
  const written = join(folder, 'written.rdb');
  await rename(await saved, written);
  await server.stop();
  const withNames = artefact.encryption === null;
  return await compareWith({ digest, file, withNames }, written, signal, onRead);
}
