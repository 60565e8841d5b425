import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackAof } from '../../backup/aof/unpack.ts';
import { decodeAof, decodeRdb } from '../../backup/artefact/decode.ts';
import type { Artefact, Engine, Manifest } from '../../domain/backup.ts';
import type { Clock } from '../../domain/clock.ts';
import type { LoadedAs } from '../../domain/drill.ts';
import { AgentError } from '../../domain/errors.ts';
import { createOwnFile } from '../../lib/files/staged-file.ts';
import { giveToUnprivileged } from '../../lib/process/unprivileged.ts';
import type { ScratchOptions } from '../../redis/scratch/scratch-server.ts';
import { runCheckRdb, type CheckTool } from '../../redis/process/tools.ts';
import type { JobContext } from '../job.ts';
import { aofLayoutOf } from '../prove/load-aof.ts';
import { checkUnpacked } from '../prove/prove-aof.ts';

/** One backup that is rehearsed, with what to rehearse it by and where. */
export interface Rehearsal {
  manifest: Manifest;
  artefact: Artefact;
  tool: CheckTool;
  /** The server of that tool. */
  server: { engine: Engine; version: string };
  /** As what a restore would place it. */
  loadedAs: LoadedAs;
  /** Private, and ours. */
  folder: string;
}

/** A backup that was fetched and decoded, all hashes right. */
export interface Staged {
  /** The dump; undefined: it is an append only file. */
  dump: string | undefined;
  /** What a server is to load. */
  source: Pick<ScratchOptions, 'dumpFile' | 'aof'>;
  /** Has the server's own tool read it. Throws an AgentError `damaged`. */
  check(): Promise<void>;
  /** Seconds. */
  times: { fetch: number; decode: number };
}

/** Seconds from one moment to another, both in milliseconds. */
export function secondsFrom(start: number, end: number): number {
  return Math.round(end - start) / 1000;
}

/** Fetches and decodes the backup into files, as a restore does. */
export async function stageBackup(context: JobContext, rehearsal: Rehearsal): Promise<Staged> {
  const { clock } = context;
  const start = clock.monotonic();
  const stored = await openStored(context, rehearsal);
  const staged = await (rehearsal.manifest.kind === 'aof' ? stageAof : stageDump)(
    context,
    rehearsal,
    stored.chunks,
  );
  const all = clock.monotonic() - start;
  const waited = stored.waited();
  return {
    ...staged,
    times: { fetch: secondsFrom(0, waited), decode: secondsFrom(0, Math.max(0, all - waited)) },
  };
}

/** The stored bytes, and how many milliseconds they were waited for. */
async function openStored(
  { repository, clock, signal, progress }: JobContext,
  { manifest, artefact }: Rehearsal,
): Promise<{ chunks: AsyncIterable<Uint8Array>; waited(): number }> {
  let [waited, done] = [0, 0];
  const start = clock.monotonic();
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  waited = clock.monotonic() - start;
  const onChunk = (time: number, bytes: number): void => {
    waited += time;
    done += bytes;
    progress.report({ phase: 'fetching', done, total: artefact.stored.bytes, unit: 'bytes' });
  };
  return { chunks: timed(chunks, clock, onChunk), waited: () => waited };
}

async function* timed(
  chunks: AsyncIterable<Uint8Array>,
  clock: Clock,
  onChunk: (milliseconds: number, bytes: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let start = clock.monotonic();
  for await (const chunk of chunks) {
    onChunk(clock.monotonic() - start, chunk.length);
    yield chunk;
    start = clock.monotonic();
  }
  onChunk(clock.monotonic() - start, 0);
}

/** As a dump, or as the base of an append only file, where the instance reads one: from there it loads nothing else. */
async function stageDump(
  context: JobContext,
  { artefact, tool, folder, loadedAs }: Rehearsal,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Omit<Staged, 'times'>> {
  const { signal, progress } = context;
  const dump = join(folder, 'dump.rdb');
  await using file = await open(dump, 'wx', 0o600);
  const decoded = decodeRdb(chunks, artefact, { identities: context.identities(), signal });
  for await (const chunk of decoded) await file.writeFile(chunk);
  await file.datasync();
  giveToUnprivileged(folder);
  return {
    dump,
    source:
      loadedAs === 'rdb'
        ? { dumpFile: dump }
        : { aof: { layout: loadedAs, files: [{ path: dump, type: 'b' }] } },
    async check() {
      progress.report({ phase: 'checking' });
      const verdict = await runCheckRdb(tool, dump, signal);
      if (!verdict.ok) throw new AgentError('damaged', verdict.summary);
    },
  };
}

async function stageAof(
  context: JobContext,
  { manifest, artefact, tool, folder, server }: Rehearsal,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Omit<Staged, 'times'>> {
  const { signal, progress } = context;
  const layout = aofLayoutOf(server);
  const place = join(folder, 'aof');
  await mkdir(place, { mode: 0o700 });
  const unpacked = await unpackAof(
    decodeAof(chunks, artefact, { identities: context.identities(), signal }),
    {
      layout,
      stem: 'appendonly.aof',
      create: (name) => createOwnFile(join(place, name), true),
    },
  );
  giveToUnprivileged(folder);
  const files = unpacked.files.map(({ name, type }) => ({ path: join(place, name), type }));
  return {
    dump: undefined,
    source: { aof: { layout, files } },
    async check() {
      progress.report({ phase: 'checking' });
      await checkUnpacked(tool, manifest, { folder: place, unpacked, deep: false }, signal);
    },
  };
}
