import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import type { UserId } from '../../lib/process/act-as.ts';
import { startTicks } from '../../redis/process/server-process.ts';
import { deepest, empty, openFolder } from './own-folder.ts';

/** A folder that was to be filled by a run that was killed. */
export interface LeftFolder {
  name: string;
  /** Else it has to be done by hand. */
  removed: boolean;
}

/** `.redis-agent-<pid>-<start>-…`: root's process that makes it, so that none is cleared that is in use. */
const leftName = /^\.redis-agent-(\d+)-(\d+)-[0-9a-f]{12}$/;
const othersWrite = 0o022;

/** A name that no other run takes, and that tells whose it is. */
export function freshName(): string {
  const started = startTicks(readFileSync('/proc/self/stat', 'utf8'));
  return `.redis-agent-${process.pid}-${started}-${randomBytes(6).toString('hex')}`;
}

/**
 * Removes what runs that were killed have left in a folder, by its descriptor: where nobody but root may put anything there, so that
 * what bears such a name is what root has made, for itself or for `user`. Elsewhere it is only found.
 */
export function clearLeft(outer: number, user: UserId): LeftFolder[] {
  const there = `/proc/self/fd/${outer}`;
  const { uid, mode } = fstatSync(outer);
  const rootsAlone = uid === process.geteuid?.() && (mode & othersWrite) === 0;
  return readdirSync(there).flatMap((name) => {
    const [, pid, started] = leftName.exec(name) ?? [];
    if (pid === undefined || isRunning(pid, Number(started))) return [];
    return [{ name, removed: rootsAlone && remove(`${there}/${name}`, user) }];
  });
}

function remove(path: string, user: UserId): boolean {
  let folder: number | undefined;
  try {
    folder = openFolder(path);
    if (folder === undefined || ![process.geteuid?.(), user.uid].includes(fstatSync(folder).uid))
      return false;
    empty(folder, deepest);
    rmdirSync(path);
    return true;
  } catch {
    // Something deeper, or who filled it is just ending.
    return false;
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

function isRunning(pid: string, started: number): boolean {
  try {
    return startTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) === started;
  } catch {
    return false;
  }
}
