import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Are the files of that process ours too: in no container, or in none with other mounts? Who may not look at its mounts goes
 * by the names of its control groups.
 */
export function hasSameFiles(pid: number): boolean {
  const mounts = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
  if (mounts !== undefined && mounts === readlinkSync('/proc/self/ns/mnt')) return true;
  return !isContained(attempt(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '');
}

/** Does a container's runtime have that group? `cgroup`: as in proc(5). */
export function isContained(cgroup: string): boolean {
  return /docker|containerd|kubepods|libpod|lxc/.test(cgroup);
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
