import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, readdirSync, rmdirSync } from 'node:fs';
import type { UserId } from '../../lib/process/act-as.ts';
import { isMarkRunning, processMark } from '../../lib/process/process-mark.ts';
import { deepest, empty, openFolder } from './own-folder.ts';

/** A folder that was to be filled by a run that was killed. */
export interface LeftFolder {
  name: string;
  /** Else it has to be done by hand. */
  removed: boolean;
}

/** `.redis-agent-<pid>-<start>-…`: root's process that makes it, so that none is cleared that is in use. */
const leftName = /^\.redis-agent-(\d+-\d+)-[0-9a-f]{12}$/;
const othersWrite = 0o022;

/** A name that no other run takes, and that tells whose it is. */
export function freshName(): string {
  return `.redis-agent-${processMark()}-${randomBytes(6).toString('hex')}`;
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
    const [, mark] = leftName.exec(name) ?? [];
    if (mark === undefined || isMarkRunning(mark)) return [];
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
