import { infoInteger, infoKeyspace } from '../../formats/info/parse-info.ts';
import { totalKeys, type KeyCount } from '../../domain/backup.ts';
import { hasReason } from '../../domain/errors.ts';
import { readAvailableMemory } from '../../lib/memory/memory.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { ScratchAof } from '../../redis/scratch/scratch-aof.ts';
import { startScratchServer, type ScratchOptions } from '../../redis/scratch/scratch-server.ts';
import { readInfo } from '../../redis/server.ts';
import type { CheckTool } from '../../redis/process/tools.ts';

/** What a scratch server holds that has loaded an append only file. */
export interface LoadedAof {
  databases: Record<string, KeyCount>;
  keys: number;
  seconds: number;
  /**
   * Commands that it refused (a wrong type, say), which a server passes over when it starts: what they should have done is
   * missing then. undefined: it does not count them (before 7.0).
   */
  refused: number | undefined;
}

export interface LoadAofOptions extends Omit<ScratchOptions, 'program' | 'dumpFile' | 'aof'> {
  /** A tool of the server's version, which is the server too. */
  tool: CheckTool;
  aof: ScratchAof;
}

/** Loads it, counts, and ends the server. Rejects like startScratchServer. */
export async function loadAof({ tool, aof, ...options }: LoadAofOptions): Promise<LoadedAof> {
  const start = options.clock.monotonic();
  await using server = await startScratchServer({
    ...options,
    program: { path: tool.path, argv0: tool.argv0.replace(/check-(?:rdb|aof)$/, 'server') },
    aof,
  });
  const info = await readInfo(server.connection);
  const databases = infoKeyspace(info);
  // In the fields since 6.0, where the loader's own errors are no part of it.
  const counted = aof.layout === 'multi-part';
  return {
    databases,
    keys: totalKeys(databases),
    seconds: (options.clock.monotonic() - start) / 1000,
    refused: counted ? infoInteger(info, 'unexpected_error_replies') : undefined,
  };
}

/**
 * Why a scratch server could not load commands, where that says nothing of them: modules and renamed commands are the
 * server's own. undefined: it does.
 */
export function lackOfCommand(error: unknown): string | undefined {
  return hasReason(error, 'command') ? error.message : undefined;
}

/** What a server of that version reads. */
export function aofLayoutOf({ engine, version }: { engine: string; version: string }): ScratchAof['layout'] {
  return engine === 'valkey' || Number.parseInt(version, 10) >= 7 ? 'multi-part' : 'single';
}

/** A loaded data set needs a little more than the server said it used, for its own buffers. */
const memoryShare = 1.1;
const memoryMargin = 128 * 1024 * 1024;

/** Why this host has no memory for loading what took a server `used` bytes; undefined when it has. */
export async function lackOfMemory(used: number): Promise<string | undefined> {
  const needed = used * memoryShare + memoryMargin;
  const available = await readAvailableMemory();
  if (available === undefined || available >= needed) return undefined;
  return `loading it needs ${formatBytes(needed)} of memory, and ${formatBytes(available)} are available`;
}
