import { join } from 'node:path';
import type { RestoreFacts } from '../../backup/restore/facts.ts';
import type { Workplace } from '../../backup/restore/workplace.ts';
import { compareCounts } from '../../backup/verify/compare-counts.ts';
import type { Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { engineOf } from '../../redis/server.ts';
import { findCheckTool, type CheckTool } from '../../redis/process/tools.ts';
import { scratchDatabases } from '../prove/scratch-databases.ts';
import { aofLayoutOf, lackOfMemory } from '../prove/load-aof.ts';
import type { JobContext } from '../job.ts';
import { stagedDump, targetOf, type StagedData } from './stage.ts';
import { unpackInto } from './stage-aof.ts';

/**
 * Fetches a backup of the append only file for a server that reads none: a scratch server of its version loads it and
 * writes a dump, which is then proven and placed as any other. Refused where this host cannot: a dump cannot be made
 * otherwise.
 */
export async function stageConverted(
  context: JobContext,
  facts: RestoreFacts,
  place: Workplace,
  manifest: Manifest,
): Promise<StagedData> {
  const { folder, work } = place;
  const info = targetOf(facts, manifest);
  const tool = await requireMeans(
    facts,
    manifest,
    await findCheckTool('aof', info, {
      tools: context.instance.tools,
      program: facts.program?.path,
    }),
  );
  const layout = aofLayoutOf(engineOf(info));
  const path = `${work}/set`;
  await folder.makeFolder(path);
  const unpacked = await unpackInto(context, manifest, folder, { path, layout, stem: 'appendonly.aof' });
  const files = unpacked.files.map(({ name, type }) => ({ path: join(path, name), type }));
  const dump = `${work}/dump.rdb`;
  const databases = await scratchDatabases(context, manifest.keyspace.databases);
  const loaded = await folder.load(
    { tool, aof: { layout, files }, databases, saveAs: dump },
    {
      signal: context.signal,
      onProgress: (share) => context.progress.report({ phase: 'converting', done: share, total: 1 }),
    },
  );
  const problem = compareCounts(manifest.keyspace, loaded);
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
  await folder.remove(path);
  return stagedDump(context, facts, place, { manifest, dump, single: undefined });
}

async function requireMeans(
  { conf }: RestoreFacts,
  { id, server }: Manifest,
  found: Awaited<ReturnType<typeof findCheckTool>>,
): Promise<CheckTool> {
  const modules = conf?.modules.length ?? 0;
  const lack =
    found.tool === undefined
      ? found.why
      : modules > 0
        ? `the server loads modules (${modules})`
        : await lackOfMemory(server.used_memory);
  if (found.tool !== undefined && lack === undefined) return found.tool;
  throw new AgentError(
    'refused',
    `backup ${id} is one of the append only file, the next start reads none, and it cannot be made a dump here: ${lack}`,
    {
      reason: 'aof-off',
      hint: 'set appendonly yes in its configuration first, without a restart, and run this again; or take a backup of kind rdb',
    },
  );
}
