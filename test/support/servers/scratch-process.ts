import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The process of the one scratch server below the directory. */
export function scratchPid(directory: string): number {
  const [name = ''] = readdirSync(directory);
  return Number(readFileSync(join(directory, name, 'server.pid'), 'utf8'));
}

/** Gone, or ended and waiting for its parent. */
export function isGone(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
