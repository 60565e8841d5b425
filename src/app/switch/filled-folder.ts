import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { backupIdTime } from '../../backup/id.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import type { LentFolder } from '../../lib/files/lent-file.ts';
import { makeFolders } from '../../lib/files/make-folders.ts';
import { clearLeft, freshName, type LeftFolder } from './left-folders.ts';
import { deepest, empty, folderFlags, own } from './own-folder.ts';

/** A folder that is filled by who may not even enter it. */
export interface FilledFolder extends LentFolder, Disposable {
  /** What was made takes its place, as ours. Else, it is gone when this is disposed of. */
  keep(): void;
  /** What runs that were killed have left there. */
  left: LeftFolder[];
}

/**
 * Makes a folder if it is missing, and in it one for that user alone, under a name of its own. Undefined where none is
 * asked for; throws an AgentError `failed`. All is done by descriptors: whoever else may write there puts nothing in our way.
 */
export function openFilled(path: string | undefined, user: UserId): FilledFolder | undefined {
  if (path === undefined) return undefined;
  const { outer, name, inner, made: missing } = make(path, user);
  const left = clearLeft(outer, user);
  const [there, made] = [`/proc/self/fd/${outer}`, `/proc/self/fd/${inner}`];
  return {
    path,
    descriptor: inner,
    taken: readdirSync(there),
    left,
    keep() {
      takeOver(inner);
      // By any other name it could be what somebody else reads there: a profile, a key.
      for (const each of readdirSync(made)) if (!isBackup(each)) throw noBackup(each);
      for (const each of readdirSync(made)) {
        if (lstatSync(join(there, each), { throwIfNoEntry: false }) !== undefined)
          throw new AgentError('refused', `${join(path, each)} is there already`, {
            reason: 'exists',
            hint: 'move it away, or choose another folder',
          });
        renameSync(join(made, each), join(there, each));
      }
    },
    [Symbol.dispose]() {
      try {
        empty(inner, deepest);
        rmdirSync(join(there, name));
        for (const folder of missing) rmdirSync(folder);
      } catch {
        // Something was put into a folder that we have made; or lies where nothing is ever made: it stays, for nobody but us.
      } finally {
        closeSync(inner);
        closeSync(outer);
      }
    },
  };
}

interface Made {
  outer: number;
  name: string;
  inner: number;
  /** The folder and those above it that were not there, the deepest first. */
  made: string[];
}

function make(path: string, user: UserId): Made {
  const name = freshName();
  let outer: number | undefined;
  try {
    const made = makeFolders(resolve(path), 0o700);
    outer = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    const at = `/proc/self/fd/${outer}/${name}`;
    mkdirSync(at, { mode: 0o700 });
    const inner = openSync(at, folderFlags);
    try {
      // Whose folder that is might have put another one of ours there by now.
      if (readdirSync(`/proc/self/fd/${inner}`).length > 0) throw new Error(`${name} is not empty`);
      fchownSync(inner, user.uid, user.gid);
    } catch (error) {
      closeSync(inner);
      throw error;
    }
    return { outer, name, inner, made };
  } catch (cause) {
    if (outer !== undefined) closeSync(outer);
    throw new AgentError('failed', `cannot write to ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'choose a folder of your own with room in it',
    });
  }
}

/** From here on it is ours alone, and so is each file in it: what its maker could still put there would be taken for a backup. */
function takeOver(folder: number, depth = deepest): void {
  own(folder, 0o700);
  for (const name of readdirSync(`/proc/self/fd/${folder}`)) {
    const file = openMade(folder, name);
    try {
      const stats = fstatSync(file);
      if (stats.isDirectory() && depth > 1) takeOver(file, depth - 1);
      else if (stats.isFile() && stats.nlink === 1) own(file, 0o600);
      else throw noBackup(name);
    } finally {
      closeSync(file);
    }
  }
}

function openMade(folder: number, name: string): number {
  try {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
    return openSync(`/proc/self/fd/${folder}/${name}`, flags);
  } catch (cause) {
    throw noBackup(name, cause);
  }
}

function noBackup(name: string, cause?: unknown): AgentError {
  return new AgentError('failed', `${JSON.stringify(name)} was made, which is no backup: nothing was kept`, {
    cause,
  });
}

function isBackup(name: string): boolean {
  return backupIdTime(/^(.+)\.(?:rdb|aof)$/.exec(name)?.[1] ?? '') !== undefined;
}
