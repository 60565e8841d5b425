import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { copyAofSet, type AofPart } from '../../backup/aof/copy-set.ts';
import type { OpenAofSet } from '../../backup/aof/open-set.ts';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { giveToUnprivileged } from '../../lib/process/unprivileged.ts';
import { makeScratchFolder, sweepScratch } from '../../redis/scratch/scratch-folder.ts';
import { engineOf } from '../../redis/server.ts';
import { findCheckTool, type ToolPlaces } from '../../redis/process/tools.ts';
import { aofLayoutOf, lackOfMemory, loadAof, type LoadedAof } from './load-aof.ts';

export interface LoadCopyOptions {
  /** Where the copy and the server are. */
  scratch: string;
  /** Of the server that writes the set: which program, and how much memory. */
  info: Info;
  /** Where its programs may be. */
  places: ToolPlaces;
  /** Of that server, as scratchDatabases tells. */
  databases?: number | undefined;
  clock: Clock;
  signal: AbortSignal;
  onProgress: (share: number) => void;
}

/** Kept free beside a copy. */
const diskMargin = 256 * 1024 * 1024;

/**
 * Loads a copy of the first bytes of open files in a scratch server of the same version, and leaves nothing. Resolves with
 * why it was not done where this host cannot; rejects like startScratchServer.
 */
export async function loadAofCopy(
  set: OpenAofSet,
  parts: readonly AofPart[],
  options: LoadCopyOptions,
): Promise<LoadedAof | { notLoaded: string }> {
  const { scratch, info, places, databases, clock, signal, onProgress } = options;
  const { tool, why } = { why: '', ...(await findCheckTool('aof', info, places)) };
  if (tool === undefined) return { notLoaded: why };
  const memory = await lackOfMemory(infoInteger(info, 'used_memory') ?? 0);
  if (memory !== undefined) return { notLoaded: memory };
  try {
    await sweepScratch(scratch);
    const folder = await makeScratchFolder(scratch);
    try {
      const needed = parts.reduce((sum, { bytes }) => sum + bytes, diskMargin);
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < needed)
        return {
          notLoaded: `a copy needs ${formatBytes(needed)} in ${scratch}, which has ${formatBytes(bavail * bsize)} free`,
        };
      await copyAofSet(set, parts, folder, signal);
      giveToUnprivileged(folder);
      const files = parts.map(({ file }) => ({
        path: join(folder, file.name),
        type: file.listed?.type === 'i' ? ('i' as const) : ('b' as const),
      }));
      const aof = { layout: aofLayoutOf(engineOf(info)), files };
      return await loadAof({ tool, aof, directory: scratch, databases, clock, signal, onProgress });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof AgentError || systemCode(error) === undefined) throw error;
    return { notLoaded: `no copy could be made: ${messageOf(error)}` };
  }
}
