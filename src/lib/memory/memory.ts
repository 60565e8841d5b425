import { readCgroupMemory, readHostMemory } from './host-memory.ts';

/**
 * Bytes of memory that a new process of ours may use without pushing anything out: what the kernel calls available,
 * or less where a control group of ours has less left. undefined where neither is known.
 */
export async function readAvailableMemory(): Promise<number | undefined> {
  const [host, group] = await Promise.all([
    readHostMemory().catch(() => undefined),
    readCgroupMemory('self'),
  ]);
  const limits = [host?.available, group?.free].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}
