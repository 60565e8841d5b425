import { totalKeys } from '../../domain/backup.ts';
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';
import { infoInteger, infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { readCgroupMemory, readHostMemory } from '../../lib/memory/host-memory.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { requireOwnFolder } from '../../redis/process/own-folder.ts';
import { findServerProcess } from '../../redis/process/server-process.ts';
import { readDumpPath, readInfo } from '../../redis/server.ts';
import { readDumpPlace } from './dump-place.ts';
import { judgePreflight, type PreflightFacts } from './judge-preflight.ts';
import type { Problem } from './problem.ts';
import { blocksWrites, lastSaveFailed } from './save-request.ts';

/**
 * Asks for nothing that costs the server anything, and decides whether a save may be asked for: one that fails can
 * stop production writes, and one without memory can end the server. Logs warnings; throws an AgentError `refused`
 * when a save would be dangerous or worthless; `insist` is the flag by which somebody can have it all the same.
 */
export async function preflight(
  connection: RedisConnection,
  { log, insist }: { log: Log; insist?: string | undefined },
): Promise<void> {
  const instance = connection.target.name;
  // Before anything is asked of the server: its save would go where we do not look.
  await requireOwnFolder(await readInfo(connection), connection.target, (await readDumpPath(connection)).dir);
  const { refusals, warnings } = judgePreflight(await gatherPreflight(connection));
  for (const { check, what, why, next } of warnings)
    log.warn({ instance, check, what, why, next }, 'preflight');
  const [first] = refusals;
  if (first === undefined) return;
  throw new AgentError(
    'refused',
    `instance ${instance}: no save: ${refusals.map(describeProblem).join('; ')}`,
    {
      reason: first.check,
      hint: insist === undefined ? first.next : `${first.next}, or insist with ${insist}`,
    },
  );
}

/** A problem in one line, without what to do. */
export function describeProblem({ what, why }: Problem): string {
  return `${what} (${why})`;
}

/** Reads what judgePreflight looks at. What cannot be seen from here stays undefined. */
export async function gatherPreflight(connection: RedisConnection): Promise<PreflightFacts> {
  const info = await readInfo(connection);
  const where = await readDumpPath(connection);
  const [process, disk, failureBlocksWrites] = await Promise.all([
    findServerProcess(info, connection.target.url),
    readDisk(where),
    blocksWrites(connection),
  ]);
  // A server that is elsewhere has another host's memory.
  const [host, cgroup] =
    process === undefined
      ? []
      : await Promise.all([readHostMemory().catch(() => undefined), readCgroupMemory(process.pid)]);
  return {
    loading: info.get('loading') === '1' || info.get('async_loading') === '1',
    replica: replicaFacts(info),
    lastSaveFailed: lastSaveFailed(info),
    failureBlocksWrites,
    data: dataFacts(info),
    disk,
    place: process && (await readDumpPlace(process.pid, { dir: where.named, file: where.file })),
    host,
    cgroup,
  };
}

function replicaFacts(info: Info): PreflightFacts['replica'] {
  if (info.get('role') !== 'slave') return undefined;
  const downFor = infoInteger(info, 'master_link_down_since_seconds');
  return {
    linkUp: info.get('master_link_status') === 'up',
    syncing: info.get('master_sync_in_progress') === '1',
    // -1 when there has never been a link
    downFor: downFor === undefined || downFor < 0 ? undefined : downFor * 1000,
  };
}

function dataFacts(info: Info): PreflightFacts['data'] {
  const number = (field: string): number => infoInteger(info, field) ?? 0;
  return {
    keys: totalKeys(infoKeyspace(info)),
    changesSinceSave: number('rdb_changes_since_last_save'),
    dataset: number('used_memory_dataset'),
    rss: number('used_memory_rss'),
    lastCopied: number('rdb_last_cow_size'),
  };
}

/** Undefined when the server's folder is not here: opening the snapshot explains that better, and before any save. */
async function readDisk({ dir, file }: { dir: string; file: string }): Promise<PreflightFacts['disk']> {
  try {
    const { bavail, bsize } = await statfs(dir);
    const dump = await stat(join(dir, file)).catch(() => undefined);
    return { folder: dir, free: bavail * bsize, dump: dump?.size };
  } catch {
    return undefined;
  }
}
