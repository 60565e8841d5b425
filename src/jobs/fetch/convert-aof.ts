import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workplace } from '../../backup/restore/build-incoming.ts';
import type { RestoreFacts } from '../../backup/restore/facts.ts';
import { createStaged, finishStaged, makeWork } from '../../backup/restore/stage-files.ts';
import { compareCounts } from '../../backup/verify/compare-counts.ts';
import type { Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { infoKeyspace } from '../../formats/info/parse-info.ts';
import { openForeign } from '../../lib/foreign-file.ts';
import { sweepScratch } from '../../redis/scratch-folder.ts';
import { startScratchServer } from '../../redis/scratch-server.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { findCheckTool, type CheckTool } from '../../redis/tools.ts';
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
  const { dir, work, manners } = place;
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
  const folder = join(dir, work, 'set');
  makeWork(dir, `${work}/set`, manners);
  const unpacked = await unpackInto(context, manifest, { folder, layout, stem: 'appendonly.aof' }, manners);
  const files = unpacked.files.map(({ name, type }) => ({ path: join(folder, name), type }));
  const dump = `${work}/dump.rdb`;
  await sweepScratch(context.scratch);
  await using server = await startScratchServer({
    program: { path: tool.path, argv0: tool.argv0.replace('check-aof', 'server') },
    directory: context.scratch,
    user: manners.owner,
    databases: await scratchDatabases(context, manifest.keyspace.databases),
    aof: { layout, files },
    clock: context.clock,
    signal: context.signal,
    onProgress: (share) => context.progress.report({ phase: 'converting', done: share, total: 1 }),
  });
  const problem = compareCounts(manifest.keyspace, infoKeyspace(await readInfo(server.connection)));
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
  await using target = await createStaged(join(dir, dump), manners);
  await using saved = await openForeign(await server.save());
  await target.writeFile(saved.createReadStream({ autoClose: false, signal: context.signal }));
  await finishStaged(target, manners);
  await rm(folder, { recursive: true, force: true });
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
