import type { Rule } from '../../domain/rule.ts';
import { blinding, type SharedVerdict } from './verdict.ts';

export const memoryLimitRule: Rule = {
  id: 'CFG10',
  severity: 'high',
  title: 'no limit of memory, or one above what there is',
  why: 'Without a limit it grows until the kernel ends it, or another process; with too high a one a save has no room beside it.',
  page: 'docs/findings/audit-cfg.md',
  keepFiring: 0,
  inhibitedBy: blinding,
};

/** Beside more than this a save has no room for what changes meanwhile. */
const mostShare = 0.8;
const goodShare = 0.7;

export interface MemoryLimit {
  /** `maxmemory`, bytes; 0: none. */
  maxmemory: number;
  /** What there is, bytes: of the host, or of its container where that has less; undefined: not known. */
  memory: number | undefined;
}

export function judgeMemoryLimit({ maxmemory, memory }: MemoryLimit): SharedVerdict[] {
  const share = memory === undefined || memory <= 0 ? 0 : maxmemory / memory;
  if (maxmemory > 0 && share <= mostShare) return [];
  const right = rightLimit(memory);
  return [
    {
      resource: 'maxmemory',
      severity: maxmemory === 0 ? 'warning' : 'high',
      summary:
        maxmemory === 0
          ? 'maxmemory is 0: nothing stops it before the kernel does'
          : `maxmemory is ${Math.round(share * 100)} % of the memory there is: a save has no room beside it`,
      remedy: `CONFIG SET maxmemory ${right}, and write maxmemory ${right} into the file`,
      evidence: { maxmemory_bytes: maxmemory, memory_bytes: memory ?? null },
    },
  ];
}

/** As a line of the file has it. */
export function rightLimit(memory: number | undefined): string {
  return memory === undefined || memory <= 0
    ? '70 % of its memory'
    : `${Math.max(1, Math.floor((memory * goodShare) / 2 ** 20))}mb`;
}

/** The host's memory, or less where a container has less. */
export function memoryThereIs(host: number | undefined, container: number | undefined): number | undefined {
  const known = [host, container].filter((bytes) => bytes !== undefined && bytes > 0);
  return known.length === 0 ? undefined : Math.min(...known.map(Number));
}
