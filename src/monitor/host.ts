import { statfs } from 'node:fs/promises';
import type { Clock } from '../domain/clock.ts';
import { kernel, readCgroupMemory, readHostMemory, type KernelRoots } from '../lib/memory/host-memory.ts';
import { hasSameFiles } from '../redis/conf/same-files.ts';
import { findServerProcess } from '../redis/process/server-process.ts';

interface Seen {
  values: Record<string, number>;
  texts: Record<string, string>;
}

interface HostFacts {
  /** The limit of the server's control groups. */
  container: number | undefined;
  available: number | undefined;
  /** What it names by a path is what we find there. */
  sameFiles: boolean;
}

const every = 60_000;

/**
 * What this host tells of a server that runs on it, and what bounds its memory: maxmemory, else the smaller of the
 * host's memory and the limit of its control groups. The server's own word for its pid is a hint only: the process must
 * have started when the server did, and hold the socket that `url` leads to.
 */
export function createHostLook(
  clock: Clock,
  url: string,
  roots: KernelRoots = kernel,
): (seen: Seen) => Promise<void> {
  let facts: { at: number; pid: string | undefined; found: HostFacts | undefined } | undefined;
  return async ({ values, texts }) => {
    const pid = texts['process_id'];
    if (facts === undefined || facts.pid !== pid || clock.monotonic() - facts.at >= every) {
      facts = {
        at: clock.monotonic(),
        pid,
        found: await lookAt({ pid, url, uptime: values['uptime_seconds'] }, roots),
      };
      if (facts.found !== undefined) Object.assign(values, await diskOf(texts['dir']));
    }
    const { found } = facts;
    if (found?.available !== undefined) values['host_memory_available_bytes'] = found.available;
    if (found?.sameFiles === true) texts['host_files'] = 'same';
    if (found?.container !== undefined) values['container_memory_limit_bytes'] = found.container;
    setLimit(values, texts, found?.container);
  };
}

/** Never 0 and never a guess: where nothing bounds it, there is no limit to speak of. */
export function setLimit(
  values: Record<string, number>,
  texts: Record<string, string>,
  container: number | undefined,
): void {
  const max = values['memory_max_bytes'] ?? 0;
  const host = values['host_memory_total_bytes'];
  const [limit, source] =
    max > 0
      ? [max, 'maxmemory']
      : container !== undefined && !(host !== undefined && host < container)
        ? [container, 'container']
        : [host, 'host'];
  if (limit === undefined || !(limit > 0)) return;
  values['memory_limit_bytes'] = limit;
  texts['limit_source'] = source;
  const used = values['memory_used_bytes'];
  if (used !== undefined) values['memory_used_ratio'] = used / limit;
}

async function lookAt(
  { pid, uptime, url }: { pid: string | undefined; uptime: number | undefined; url: string },
  roots: KernelRoots,
): Promise<HostFacts | undefined> {
  if (pid === undefined || uptime === undefined) return undefined;
  const info = new Map([
    ['process_id', pid],
    ['uptime_in_seconds', String(uptime)],
  ]);
  const server = await findServerProcess(info, url);
  if (server === undefined) return undefined;
  const [group, host] = await Promise.all([
    readCgroupMemory(server.pid, roots),
    readHostMemory(roots).catch(() => undefined),
  ]);
  return { container: group?.limit, available: host?.available, sameFiles: hasSameFiles(server.pid) };
}

async function diskOf(dir: string | undefined): Promise<Record<string, number>> {
  if (dir?.startsWith('/') !== true) return {};
  const disk = await statfs(dir).catch(() => undefined);
  if (disk === undefined) return {};
  return { host_disk_free_bytes: disk.bavail * disk.bsize, host_disk_size_bytes: disk.blocks * disk.bsize };
}
