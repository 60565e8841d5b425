import { readFile } from 'node:fs/promises';

/**
 * Bytes of memory that a new process of ours may use without pushing anything out: what the kernel calls available,
 * or less where a control group of ours has less left. undefined where neither is known.
 */
export async function readAvailableMemory(): Promise<number | undefined> {
  const limits = [await hostAvailable(), await groupAvailable()].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

async function hostAvailable(): Promise<number | undefined> {
  const kilobytes = /^MemAvailable: +(\d+) kB$/m.exec(await readText('/proc/meminfo'))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function groupAvailable(): Promise<number | undefined> {
  const path = /^0::(\/.*)$/m.exec(await readText('/proc/self/cgroup'))?.[1];
  if (path === undefined) return undefined;
  const limit = Number(await readText(`/sys/fs/cgroup${path}/memory.max`));
  const used = Number(await readText(`/sys/fs/cgroup${path}/memory.current`));
  // `max` and a missing file are no numbers, or none that limit.
  return limit > 0 && Number.isFinite(limit) ? Math.max(0, limit - used) : undefined;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
