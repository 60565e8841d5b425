import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AgentError, messageOf } from '../domain/errors.ts';
import { writeLentFile } from '../lib/files/lent-file.ts';
import { writeAtomic } from '../lib/files/write-atomic.ts';

/**
 * Writes what `--out` names, for its owner alone where nothing else is said; into what somebody with more rights has opened for
 * us. Throws an AgentError `failed`.
 */
export async function writeOut(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  try {
    if (writeLentFile(path, content)) return;
    await writeAtomic(path, content, { mode });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/**
 * Throws an AgentError `usage` where no file can be put, before anything is done. Of what processes have open, root would put one
 * into the place of the link: /dev/stdout.
 */
export function requireFile(path: string): void {
  const odd = /^\/(dev\/(fd\/|std(in|out|err)$)|proc\/)/.test(resolve(path)) || whatElse(path);
  if (odd === false) return;
  throw new AgentError('usage', `cannot write ${path}: it is ${odd === true ? 'no regular file' : odd}`, {
    hint: 'name a file; without --out it is printed',
  });
}

/** False for a file, or for nothing at all; for one that cannot be looked at whoever writes is told. */
function whatElse(path: string): string | false {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return 'a folder';
    return stats === undefined || stats.isFile() ? false : 'no regular file';
  } catch {
    return false;
  }
}

export function cannotWrite(path: string, error: unknown): AgentError {
  return new AgentError('failed', `cannot write ${path}: ${messageOf(error)}`, {
    hint: 'name a file in a folder that is there, and that this user may write in',
    cause: error,
  });
}
