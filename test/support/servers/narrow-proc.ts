import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

/** A folder that shows of this host's /proc these processes (and ourselves), so that no test meets others' servers. */
export function narrowProc(pids: number[]): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  for (const name of [...pids, 'self'].map(String)) symlinkSync(join('/proc', name), join(folder, name));
  return folder;
}

/** The processes that it has forked and that still run. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
