import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of the programs as the kernel has them; a sentinel started by its own name is another program. */
const programs = ['redis-server', 'valkey-server'];

/**
 * Processes that are servers by their names, whoever's they are; `proc` is where proc(5) is mounted. Synchronous: the
 * kernel answers from memory, while each of a host's hundreds of processes would cost five trips through the thread pool
 * and two buffers of 64 KiB.
 */
export function findServerPids(proc = '/proc'): number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name) && programs.includes(nameOf(join(proc, name))))
    .map(Number);
}

/** Empty for one that has ended meanwhile, or is hidden from us. */
function nameOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'comm'), 'utf8').trim();
  } catch {
    return '';
  }
}
