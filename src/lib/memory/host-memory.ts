import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What the kernel says about this host's memory, bytes (proc_meminfo(5)). */
export interface HostMemory {
  /** Can be had without swapping. */
  available: number;
  commitLimit: number;
  committed: number;
  /** vm.overcommit_memory: 0 guesses, 1 always grants, 2 never grants more than the commit limit. */
  overcommit: number;
}

/** The tightest memory limit of a process's control groups, bytes. */
export interface CgroupMemory {
  limit: number;
  /** Room below it, with the page cache that can be dropped counted as room. */
  free: number;
}

/** Where the kernel shows itself. */
export interface KernelRoots {
  proc: string;
  cgroup: string;
}

export const kernel: KernelRoots = { proc: '/proc', cgroup: '/sys/fs/cgroup' };

/** Rejects with a system error where there is no Linux /proc. */
export async function readHostMemory({ proc } = kernel): Promise<HostMemory> {
  const [meminfo, overcommit] = await Promise.all([
    readFile(join(proc, 'meminfo'), 'utf8'),
    readFile(join(proc, 'sys/vm/overcommit_memory'), 'utf8'),
  ]);
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  return {
    available: bytes('MemAvailable'),
    commitLimit: bytes('CommitLimit'),
    committed: bytes('Committed_AS'),
    overcommit: Number(overcommit),
  };
}

/** Undefined when no group of the process limits its memory, or when that cannot be seen. */
export async function readCgroupMemory(
  pid: number | 'self',
  { proc, cgroup } = kernel,
): Promise<CgroupMemory | undefined> {
  const text = await readFile(join(proc, String(pid), 'cgroup'), 'utf8').catch(() => '');
  const levels = await Promise.all(foldersOf(text, cgroup).map(readLevel));
  const limited = levels.filter((level) => level !== undefined);
  return limited.toSorted((a, b) => a.free - b.free)[0];
}

/**
 * Every folder from the process's groups up to the root, whose limits all count. In a container the path may be the
 * host's, of which only the root is there: the reader skips levels that are missing.
 */
function foldersOf(procCgroup: string, root: string): string[] {
  const folders = new Set<string>();
  for (const line of procCgroup.trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isVersion2 = controllers === '';
    if (!isVersion2 && !controllers.split(',').includes('memory')) continue;
    const mount = isVersion2 ? root : join(root, controllers);
    // join() ends `..` at the mount, which is where a group outside our namespace is shown.
    for (let each = join('/', path); ; each = dirname(each)) {
      folders.add(join(mount, each));
      if (each === '/') break;
    }
  }
  return [...folders];
}

async function readLevel(folder: string): Promise<CgroupMemory | undefined> {
  return (
    (await readFiles(folder, 'memory.max', 'memory.current', 'inactive_file')) ??
    (await readFiles(folder, 'memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'))
  );
}

/** Version 1 writes a number near 2^63 for no limit, version 2 `max`. */
const unlimited = 2 ** 60;

async function readFiles(
  folder: string,
  limitFile: string,
  usageFile: string,
  cacheField: string,
): Promise<CgroupMemory | undefined> {
  try {
    const [limitText, usage, stat] = await Promise.all([
      readFile(join(folder, limitFile), 'utf8'),
      readFile(join(folder, usageFile), 'utf8'),
      readFile(join(folder, 'memory.stat'), 'utf8'),
    ]);
    const limit = Number(limitText);
    if (!(limit < unlimited)) return undefined; // NaN, of `max`, too
    const cache = Number(new RegExp(`^${cacheField} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
    return { limit, free: Math.max(0, limit - Number(usage) + cache) };
  } catch {
    return undefined;
  }
}
