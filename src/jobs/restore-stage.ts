import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRdb } from '../backup/artefact/decode.ts';
import type { RestoreFacts } from '../backup/restore/facts.ts';
import {
  createStaged,
  finishStaged,
  giveManners,
  makeWork,
  syncStaged,
  type FileManners,
} from '../backup/restore/stage-files.ts';
import { incomingFrom, type Workplace } from '../backup/restore/build-incoming.ts';
import type { DataFiles } from '../backup/restore/swap-plan.ts';
import { compareCounts } from '../backup/verify/compare-counts.ts';
import type { BackupKind, KeyCount, Manifest } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import { infoKeyspace, type Info } from '../formats/info/parse-info.ts';
import { awaitLater } from '../lib/await-later.ts';
import { sweepScratch } from '../redis/scratch-folder.ts';
import { startScratchServer } from '../redis/scratch-server.ts';
import { readInfo } from '../redis/server.ts';
import { findCheckTool, runCheckRdb, type CheckTool } from '../redis/tools.ts';
import { artefactOf } from './artefact-of.ts';
import type { JobContext } from './job.ts';
import { readKnown } from './read-known.ts';
import { lackOfMemory } from './load-aof.ts';

/** A backup that lies decoded on the file system of the data. */
export interface StagedData {
  /**
   * Proves it with the programs of the version that will load it. Resolves with how far, and why not further; rejects
   * with an AgentError when it is not fit to be loaded.
   */
  prove(): Promise<string>;
  /** What is to be placed; `rdb` is another name of the dump among it. */
  incoming(): Promise<{ files: DataFiles; rdb: string | undefined }>;
}

/** Fetches and decodes a dump into the run's folder: the one that was backed up, by its SHA-256, when this resolves. */
export async function stageDump(
  context: JobContext,
  facts: RestoreFacts,
  place: Workplace,
  manifest: Manifest,
): Promise<StagedData> {
  const { dir, work, layout, manners } = place;
  makeWork(dir, work, manners);
  const dump = `${work}/dump.rdb`;
  // A second copy, for a server that goes on writing at the end of the first.
  const single = layout.authority === 'single' ? `${work}/appendonly` : undefined;
  const paths = [dump, ...(single === undefined ? [] : [single])].map((path) => join(dir, path));
  await decodeFiles(context, manifest, { paths, manners, read: readKnown, finish: giveManners });
  // Writing it to the disk for good takes as long as loading it: both at a time.
  const durable = awaitLater(Promise.all(paths.map((path) => syncStaged(path, manners))));
  const staged = stagedDump(context, facts, place, { manifest, dump, single });
  return {
    ...staged,
    async prove() {
      const [proven] = await Promise.all([staged.prove(), durable]);
      return proven;
    },
  };
}

/** A dump that lies in the run's folder; paths relative to the data directory. */
export function stagedDump(
  context: JobContext,
  facts: RestoreFacts,
  place: Workplace,
  { manifest, dump, single }: { manifest: Manifest; dump: string; single: string | undefined },
): StagedData {
  return {
    prove: () => proveDump(context, facts, manifest, join(place.dir, dump)),
    incoming: async () => ({ files: await incomingFrom(place, dump, single), rdb: dump }),
  };
}

/** Decodes the RDB of a backup into new files of that owner; durable when it resolves. */
export async function decodeInto(
  context: JobContext,
  manifest: Manifest,
  paths: readonly string[],
  manners: FileManners,
): Promise<void> {
  await decodeFiles(context, manifest, { paths, manners, read: decodeRdb, finish: finishStaged });
}

interface DecodedFiles {
  paths: readonly string[];
  manners: FileManners;
  read: typeof readKnown;
  finish: (file: FileHandle, manners: FileManners) => Promise<void>;
}

async function decodeFiles(
  context: JobContext,
  manifest: Manifest,
  { paths, manners, read, finish }: DecodedFiles,
): Promise<void> {
  const { repository, signal, progress } = context;
  const artefact = artefactOf(manifest);
  await using files = new AsyncDisposableStack();
  const opened = [];
  for (const path of paths) opened.push(files.use(await createStaged(path, manners)));
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  let done = 0;
  for await (const chunk of read(chunks, artefact, { identities: context.identities(), signal })) {
    done += chunk.length;
    progress.report({ phase: 'fetching', done, total: artefact.plain.bytes, unit: 'bytes' });
    for (const file of opened) await file.writeFile(chunk);
  }
  for (const file of opened) await finish(file, manners);
}

async function proveDump(
  context: JobContext,
  facts: RestoreFacts,
  manifest: Manifest,
  path: string,
): Promise<string> {
  const { clock, signal, progress, scratch } = context;
  return await proveStaged(context, facts, manifest, {
    kind: 'rdb',
    check: (tool) => runCheckRdb(tool, path, signal),
    async load(tool) {
      await using server = await startScratchServer({
        program: { path: tool.path, argv0: tool.argv0.replace('check-rdb', 'server') },
        directory: scratch,
        dumpFile: path,
        clock,
        signal,
        onProgress: (share) => progress.report({ phase: 'proving', done: share, total: 1 }),
      });
      return infoKeyspace(await readInfo(server.connection));
    },
  });
}

/** Of something staged: its check tool, and its load in a scratch server, which is to give its keys. */
interface StagedProof {
  kind: BackupKind;
  check: (tool: CheckTool) => Promise<{ ok: boolean; summary: string }>;
  load: (tool: CheckTool) => Promise<Record<string, KeyCount>>;
}

/** See StagedData. */
export async function proveStaged(
  { progress, scratch }: JobContext,
  facts: RestoreFacts,
  manifest: Manifest,
  { kind, check, load }: StagedProof,
): Promise<string> {
  progress.report({ phase: 'checking' });
  const { tool, why } = { why: '', ...(await findCheckTool(kind, targetOf(facts, manifest))) };
  if (tool === undefined) return `decoded; not loaded: ${why}`;
  const modules = facts.conf?.modules ?? [];
  const lack =
    modules.length > 0
      ? `the server loads modules (${modules.length})`
      : await lackOfMemory(manifest.server.used_memory);
  // Of a dump the tool looks at no more than a load does, by the same code; of an append only file it does.
  const checked = kind === 'aof' || lack !== undefined ? `checked with ${tool.argv0}` : undefined;
  const verdict = checked === undefined ? undefined : await check(tool);
  if (verdict?.ok === false) throw new AgentError('damaged', `backup ${manifest.id}: ${verdict.summary}`);
  if (lack !== undefined) return `${checked}; not loaded: ${lack}`;
  await sweepScratch(scratch);
  const problem = compareCounts(manifest.keyspace, await load(tool));
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
  return `${checked === undefined ? '' : `${checked}, `}loaded in a scratch server`;
}

/** The server that will load it, in INFO's words, for finding its tools. */
export function targetOf({ program, running }: RestoreFacts, manifest: Manifest): Info {
  const { engine, version } = program ?? running ?? manifest.server;
  const info = new Map([[engine === 'valkey' ? 'valkey_version' : 'redis_version', version]]);
  if (program !== undefined) info.set('executable', program.path);
  return info;
}
