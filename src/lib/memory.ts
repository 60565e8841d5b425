import { readFile } from 'node:fs/promises';

/** The host's memory, bytes (proc_meminfo(5)). */
export interface HostMemory {
  /** What new processes may use without pushing anything out. */
  available: number;
  commitLimit: number;
  committed: number;
  /** vm.overcommit_memory: 0 guess, 1 always, 2 never beyond commitLimit. */
  overcommit: number;
}

/** The tightest limit of a process's control groups, and what is left below it. Bytes. */
export interface CgroupMemory {
  limit: number;
  free: number;
}

/** Rejects where there is no /proc. */
export async function readHostMemory(): Promise<HostMemory> {
  const [meminfo, overcommit] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    readFile('/proc/sys/vm/overcommit_memory', 'utf8'),
  ]);
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? Number.NaN) * 1024;
  return {
    available: bytes('MemAvailable'),
    commitLimit: bytes('CommitLimit'),
    committed: bytes('Committed_AS'),
    overcommit: Number(overcommit),
  };
}

/** undefined when no limit is set, or none can be seen from here. Understands both versions of control groups. */
export async function readCgroupMemory(pid: number): Promise<CgroupMemory | undefined> {
  const groups = await readText(`/proc/${pid}/cgroup`);
  const unified = /^0::(\/.*)$/m.exec(groups)?.[1];
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m.exec(groups)?.[1];
  const limits = [
    ...(unified === undefined ? [] : await readLimits('/sys/fs/cgroup', unified, 'memory.max', 'memory.current')),
    ...(memory === undefined
      ? []
      : await readLimits('/sys/fs/cgroup/memory', memory, 'memory.limit_in_bytes', 'memory.usage_in_bytes')),
  ];
  return limits.toSorted((a, b) => a.free - b.free)[0];
}

/**
 * What a process of ours may use, the host's and our own group's limits considered; undefined where neither is known.
 */
export async function readAvailableMemory(): Promise<number | undefined> {
  const [host, group] = await Promise.all([readHostMemory().catch(() => undefined), readCgroupMemory(process.pid)]);
  const known = [host?.available, group?.free].filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** A group is bound by its own limit and by those of all that it is in. */
async function readLimits(root: string, group: string, maxFile: string, usedFile: string): Promise<CgroupMemory[]> {
  const limits: CgroupMemory[] = [];
  const parts = group.split('/').filter(Boolean);
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const folder = [root, ...parts.slice(0, depth)].join('/');
    // `max` is no number, and v1 says "none" with one of nearly 2^63.
    const limit = Number((await readText(`${folder}/${maxFile}`)).trim() || Number.NaN);
    const used = Number((await readText(`${folder}/${usedFile}`)).trim() || Number.NaN);
    if (limit < 2 ** 60 && Number.isFinite(used)) limits.push({ limit, free: Math.max(0, limit - used) });
  }
  return limits;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
