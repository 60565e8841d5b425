import { decodeRdb } from '../../backup/artefact/decode.ts';
import type { RestoreFacts } from '../../backup/restore/facts.ts';
import type { DataFolder } from '../../backup/restore/folder/data-folder.ts';
import { incomingFrom, type Workplace } from '../../backup/restore/workplace.ts';
import type { DataFiles } from '../../backup/restore/swap-plan.ts';
import type { BackupKind, Engine, KeyCount, Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import { FileTail } from '../../lib/files/file-tail.ts';
import { findCheckTool, type CheckTool } from '../../redis/process/tools.ts';
import { artefactOf } from '../prove/artefact-of.ts';
import type { Load } from '../../state/loads.ts';
import type { JobContext } from '../job.ts';
import { readKnown } from './read-known.ts';
import { compareKeys } from '../prove/compare-keys.ts';
import { describeLoad, noteLoaded } from '../prove/loaded-before.ts';
import { lackOfCommand, lackOfMemory } from '../prove/load-aof.ts';
import { loadBeside, type LoadBeside } from './load-beside.ts';

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
  before?: Load,
): Promise<StagedData> {
  const { folder, work, layout } = place;
  const user = folder.ownership.owner;
  await folder.makeFolder(work);
  const dump = `${work}/dump.rdb`;
  // A second copy, for a server that goes on writing at the end of the first.
  const single = layout.authority === 'single' ? `${work}/appendonly` : undefined;
  const paths = [dump, ...(single === undefined ? [] : [single])];
  const means: ProofMeans =
    before === undefined ? await findMeans(context, facts, { manifest, kind: 'rdb', user }) : { before };
  // Loading takes several times as long as decoding, and so does writing to the disk for good: all of it at a time.
  const tail = new FileTail(() => folder.open(dump));
  const { bytes } = artefactOf(manifest).plain;
  const databases = facts.conf?.databases;
  const beside =
    'tool' in means && means.tool !== undefined && means.lack === undefined
      ? loadBeside(context, { tool: means.tool, tail, bytes, databases, user })
      : undefined;
  try {
    await decodeFiles(context, manifest, { folder, paths, tail, read: readKnown });
  } catch (error) {
    tail.fail(error);
    await beside?.end();
    throw error;
  }
  const durable = awaitLater(Promise.all(paths.map((each) => folder.sync(each))));
  return {
    ...stagedDump(context, facts, place, { manifest, dump, single }),
    async prove() {
      const [proven] = await Promise.all([
        proveDump(context, manifest, { facts, means, folder, path: dump, beside, databases }),
        durable,
      ]);
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
    async prove() {
      const user = place.folder.ownership.owner;
      const means = await findMeans(context, facts, { manifest, kind: 'rdb', user });
      return await proveDump(context, manifest, {
        facts,
        means,
        folder: place.folder,
        path: dump,
        databases: facts.conf?.databases,
      });
    },
    incoming: async () => ({ files: await incomingFrom(place, dump, single), rdb: dump }),
  };
}

/** Decodes the RDB of a backup into a new file; durable when it resolves. */
export async function decodeInto(
  context: JobContext,
  manifest: Manifest,
  folder: DataFolder,
  path: string,
): Promise<void> {
  await decodeFiles(context, manifest, { folder, paths: [path], read: decodeRdb });
}

interface DecodedFiles {
  folder: DataFolder;
  paths: readonly string[];
  /** Whoever reads the first of them meanwhile; they are made durable later then. */
  tail?: FileTail;
  read: typeof readKnown;
}

async function decodeFiles(
  context: JobContext,
  manifest: Manifest,
  { folder, paths, tail, read }: DecodedFiles,
): Promise<void> {
  const { repository, signal, progress } = context;
  const artefact = artefactOf(manifest);
  await using files = new AsyncDisposableStack();
  const opened = [];
  for (const path of paths) opened.push(files.use(await folder.create(path)));
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  let done = 0;
  /** What the tail knows to be in the first of them. */
  let told = 0;
  for await (const chunk of read(chunks, artefact, { identities: context.identities(), signal })) {
    done += chunk.length;
    progress.report({ phase: 'fetching', done, total: artefact.plain.bytes, unit: 'bytes' });
    const [there = 0] = await Promise.all(opened.map((file) => file.write(chunk)));
    tail?.wrote(there - told);
    told = there;
  }
  for (const file of opened) await file.finish(tail === undefined);
  tail?.wrote(done - told);
  tail?.end();
}

async function proveDump(
  context: JobContext,
  manifest: Manifest,
  {
    facts,
    means,
    folder,
    path,
    beside,
    databases,
  }: {
    facts: RestoreFacts;
    means: ProofMeans;
    folder: DataFolder;
    path: string;
    beside?: LoadBeside | undefined;
    databases: number | undefined;
  },
): Promise<string> {
  const { signal, progress } = context;
  const onProgress = (share: number): void => progress.report({ phase: 'proving', done: share, total: 1 });
  return await proveStaged(context, manifest, {
    kind: 'rdb',
    server: facts.program ?? facts.running ?? manifest.server,
    means,
    check: (tool) => folder.check({ kind: 'rdb', tool, path }, signal),
    load: async (tool) =>
      (await beside?.keys()) ?? (await folder.load({ tool, dump: path, databases }, { signal, onProgress })),
  });
}

/**
 * What there is to prove a backup by: that these bytes were loaded before, or a tool of the version that will load it, and
 * why it is not loaded, if so.
 */
export type ProofMeans = { before: Load } | { tool: CheckTool; lack: string | undefined } | Lack;
interface Lack {
  tool: undefined;
  lack: string;
}

export async function findMeans(
  { progress, instance }: JobContext,
  facts: RestoreFacts,
  { manifest, kind, user }: { manifest: Manifest; kind: BackupKind; user: UserId },
): Promise<ProofMeans> {
  progress.report({ phase: 'checking' });
  if (user.uid === 0 && process.geteuid?.() === 0)
    return {
      tool: undefined,
      lack: 'the server runs as root, and programs that read what is not ours never do',
    };
  const places = { tools: instance.tools, program: facts.program?.path };
  const found = await findCheckTool(kind, targetOf(facts, manifest), places);
  if (found.tool === undefined) return { tool: undefined, lack: found.why };
  const modules = facts.conf?.modules ?? [];
  const lack =
    modules.length > 0
      ? `the server loads modules (${modules.length})`
      : await lackOfMemory(manifest.server.used_memory);
  return { tool: found.tool, lack };
}

/** Of something staged: its check tool, and its load in a scratch server, which is to give its keys. */
interface StagedProof {
  kind: BackupKind;
  /** That will load it. */
  server: { engine: Engine; version: string };
  means: ProofMeans;
  check: (tool: CheckTool) => Promise<{ ok: boolean; summary: string }>;
  load: (tool: CheckTool) => Promise<Record<string, KeyCount>>;
}

/** See StagedData. */
export async function proveStaged(
  context: JobContext,
  manifest: Manifest,
  { kind, server, means, check, load }: StagedProof,
): Promise<string> {
  const { progress } = context;
  if ('before' in means) return describeLoad(means.before);
  const { tool, lack } = means;
  if (tool === undefined) return `decoded; not loaded: ${lack}`;
  // Of a dump the tool looks at no more than a load does, by the same code; of an append only file it does.
  const checked = kind === 'aof' || lack !== undefined ? `checked with ${tool.argv0}` : undefined;
  progress.report({ phase: checked === undefined ? 'proving' : 'checking' });
  const verdict = checked === undefined ? undefined : await check(tool);
  if (verdict?.ok === false) throw new AgentError('damaged', `backup ${manifest.id}: ${verdict.summary}`);
  if (lack !== undefined) return `${checked}; not loaded: ${lack}`;
  let loaded: Record<string, KeyCount>;
  try {
    loaded = await load(tool);
  } catch (error) {
    const why = lackOfCommand(error);
    if (why === undefined) throw error;
    return `${checked}; not loaded: ${why}`;
  }
  const problem = await compareKeys(context, manifest, loaded);
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
  noteLoaded(context, manifest, server);
  return `${checked === undefined ? '' : `${checked}, `}loaded in a scratch server`;
}

/** The server that will load it, in INFO's words, for finding its tools. */
export function targetOf({ program, running }: RestoreFacts, manifest: Manifest): Info {
  const { engine, version } = program ?? running ?? manifest.server;
  return new Map([[engine === 'valkey' ? 'valkey_version' : 'redis_version', version]]);
}
