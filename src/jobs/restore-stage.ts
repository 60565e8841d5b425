import { join } from 'node:path';
import { decodeRdb } from '../backup/artefact/decode.ts';
import type { RestoreFacts } from '../backup/restore/facts.ts';
import { createStaged, finishStaged, makeWork, type FileManners } from '../backup/restore/stage-files.ts';
import type { Workplace } from '../backup/restore/build-incoming.ts';
import { compareCounts } from '../backup/verify/compare-counts.ts';
import type { Artefact, Manifest } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import { infoKeyspace, type Info } from '../formats/info/parse-info.ts';
import { formatBytes } from '../lib/bytes.ts';
import { readAvailableMemory } from '../lib/memory.ts';
import { sweepScratch } from '../redis/scratch-folder.ts';
import { startScratchServer } from '../redis/scratch-server.ts';
import { readInfo } from '../redis/server.ts';
import { findCheckTool, runCheckRdb } from '../redis/tools.ts';
import type { JobContext } from './job.ts';

/** What was staged; paths relative to the data directory. */
export interface Staged {
  dump: string;
  /** A second copy, for a server that goes on writing at the end of the first. */
  single: string | undefined;
}

/** The artefact that a restore by files takes. */
export function rdbOf(manifest: Manifest): Artefact {
  const artefact = manifest.artefacts.find(({ name }) => name.startsWith('dump.rdb'));
  if (artefact === undefined)
    throw new AgentError('failed', `backup ${manifest.id} holds no dump.rdb`, {
      hint: 'choose another one: redis-agent backups list',
    });
  return artefact;
}

/** Fetches and decodes a backup into the run's folder. Proven when it resolves: SHA-256 stored and plain, CRC64. */
export async function stageDump(context: JobContext, place: Workplace, manifest: Manifest): Promise<Staged> {
  const { dir, work, layout, manners } = place;
  makeWork(dir, work, manners);
  const names: Staged = {
    dump: `${work}/dump.rdb`,
    single: layout.authority === 'single' ? `${work}/appendonly` : undefined,
  };
  const paths = [names.dump, ...(names.single === undefined ? [] : [names.single])];
  await decodeInto(
    context,
    manifest,
    paths.map((path) => join(dir, path)),
    manners,
  );
  return names;
}

/** Decodes the RDB of a backup into new files of that owner. */
export async function decodeInto(
  context: JobContext,
  manifest: Manifest,
  paths: readonly string[],
  manners: FileManners,
): Promise<void> {
  const { repository, signal, progress } = context;
  const artefact = rdbOf(manifest);
  await using files = new AsyncDisposableStack();
  const opened = [];
  for (const path of paths) opened.push(files.use(await createStaged(path, manners)));
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  let done = 0;
  for await (const chunk of decodeRdb(chunks, artefact, { identities: context.identities(), signal })) {
    done += chunk.length;
    progress.report({ phase: 'fetching', done, total: artefact.plain.bytes, unit: 'bytes' });
    for (const file of opened) await file.writeFile(chunk);
  }
  for (const file of opened) await finishStaged(file, manners);
}

/** A loaded data set needs a little more than the server said it used, and the host something besides. */
const memoryShare = 1.1;
const memoryMargin = 128 * 1024 * 1024;

/**
 * Proves a staged dump with the programs of the version that will load it. Returns how far it was proven, and why not
 * further; rejects with an AgentError when it is not fit to be loaded.
 */
export async function proveStaged(
  context: JobContext,
  facts: RestoreFacts,
  manifest: Manifest,
  path: string,
): Promise<string> {
  const { signal, progress } = context;
  progress.report({ phase: 'checking' });
  const { tool, why } = { why: '', ...(await findCheckTool('rdb', targetOf(facts, manifest))) };
  if (tool === undefined) return `decoded; not loaded: ${why}`;
  const verdict = await runCheckRdb(tool, path, signal);
  if (!verdict.ok) throw new AgentError('damaged', `backup ${manifest.id}: ${verdict.summary}`);
  const checked = `checked with ${tool.argv0}`;
  const modules = facts.conf?.modules ?? [];
  if (modules.length > 0) return `${checked}; not loaded: the server loads modules (${modules.length})`;
  const needed = manifest.server.used_memory * memoryShare + memoryMargin;
  const available = await readAvailableMemory();
  if (available !== undefined && available < needed)
    return `${checked}; not loaded: it needs ${formatBytes(needed)} of memory, and ${formatBytes(available)} are available`;
  await loadStaged(
    context,
    manifest,
    { path: tool.path, argv0: tool.argv0.replace('check-rdb', 'server') },
    path,
  );
  return `${checked}, loaded in a scratch server`;
}

async function loadStaged(
  context: JobContext,
  manifest: Manifest,
  program: { path: string; argv0: string },
  dumpFile: string,
): Promise<void> {
  const { clock, signal, progress, scratch } = context;
  await sweepScratch(scratch);
  await using server = await startScratchServer({
    program,
    directory: scratch,
    dumpFile,
    clock,
    signal,
    onProgress: (share) => progress.report({ phase: 'proving', done: share, total: 1 }),
  });
  const problem = compareCounts(manifest.keyspace, infoKeyspace(await readInfo(server.connection)));
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
}

/** The server that will load it, in INFO's words, for finding its tools. */
function targetOf({ program, running }: RestoreFacts, manifest: Manifest): Info {
  const { engine, version } = program ?? running ?? manifest.server;
  const info = new Map([[engine === 'valkey' ? 'valkey_version' : 'redis_version', version]]);
  if (program !== undefined) info.set('executable', program.path);
  return info;
}
