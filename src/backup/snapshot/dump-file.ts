import { constants, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AgentError, systemCode } from '../../domain/errors.ts';
import { currentUser, describeOwner, groupName } from '../../lib/files/file-owner.ts';
import { lookAtDump, type DumpAccess, type DumpHandle, type DumpLook } from '../dump-access.ts';

/** O_NONBLOCK: a named pipe in the dump's place must not hang us. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** With the rights of this process. */
export function ownAccess(instance: string): DumpAccess {
  return {
    look: async (path) => await look(instance, path),
    open: async (path) => await openDump(instance, path),
  };
}

/**
 * The dump as it was before a save. The old file is kept open meanwhile, so that its inode number cannot be given to
 * the new file and the two be taken for one.
 */
export interface DumpBefore extends AsyncDisposable {
  readonly path: string;
  /** The file that has taken the old one's place, or undefined while none has. The caller closes the handle. */
  openNewer(): Promise<DumpHandle | undefined>;
}

/** Remembers what is at `path` now, which may be nothing. Throws when it cannot be seen into the folder. */
export async function rememberDump(access: DumpAccess, path: string): Promise<DumpBefore> {
  const before = await access.look(path);
  const held = before?.isFile === true ? await access.open(path).catch(() => undefined) : undefined;
  return {
    path,
    async openNewer() {
      const now = await access.look(path);
      if (now === undefined || (before !== undefined && isSame(before, now, held !== undefined)))
        return undefined;
      return await access.open(path);
    },
    async [Symbol.asyncDispose]() {
      await held?.close();
    },
  };
}

/** A file that we could not hold open may have lost its inode number to a newer one: then its time tells. */
function isSame(before: DumpLook, now: DumpLook, held: boolean): boolean {
  return before.file === now.file && (held || before.written === now.written);
}

async function look(instance: string, path: string): Promise<DumpLook | undefined> {
  try {
    return lookAtDump(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unreadable(instance, path, error);
    throw new AgentError('failed', `instance ${instance}: there is no folder ${dirname(path)} here`, {
      cause: error,
      reason: 'elsewhere',
      hint: elsewhere,
    });
  }
}

/** What to do when the server's files are not where it says. */
export const elsewhere =
  'does the server run in a container or on another host? Name its data folder as this host has it (data_dir: of this instance), mount it here under the same path, or run the agent beside the server';

/** Opens the dump for reading, or says which group to join, or where else the server may be. The caller closes it. */
export async function openDump(instance: string, path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, readOnly);
  } catch (error) {
    throw systemCode(error) === 'ELOOP' ? notRegular(instance, path) : unreadable(instance, path, error);
  }
  const stats = await handle.stat();
  if (stats.isFile()) return handle;
  await handle.close();
  throw notRegular(instance, path);
}

function notRegular(instance: string, path: string): AgentError {
  return new AgentError('failed', `instance ${instance}: ${path} is not a regular file`, {
    reason: 'not-regular',
    hint: 'Redis writes its dump as a regular file: who put something else in its place?',
  });
}

function unreadable(instance: string, path: string, cause: unknown): AgentError {
  const code = systemCode(cause);
  if (code !== 'EACCES' && code !== 'EPERM')
    return new AgentError('failed', `instance ${instance}: cannot open ${path}: ${code ?? 'unknown error'}`, {
      cause,
      hint: 'check the server’s dir and dbfilename, and the file system below them',
    });
  const [blocked, right] = blockedAt(path);
  const stats = statSync(blocked);
  const user = currentUser();
  const message = `instance ${instance}: cannot read ${path}: permission denied for ${user} at ${blocked} (it belongs to ${describeOwner(stats)})`;
  // Joining a group only helps where the group has the right.
  const hint =
    (stats.mode & right) === right && stats.gid !== 0
      ? `usermod -aG ${groupName(stats.gid)} ${user}, then restart the agent`
      : `let the group of ${blocked} ${right === 0o040 ? 'read it (UMask=0027 in the server’s unit, or chmod g+r)' : 'enter it (chmod g+x)'} and put ${user} into that group, then restart the agent`;
  return new AgentError('failed', message, { cause, reason: 'denied', hint });
}

/** The folder or file that keeps us out, and the group's right that it would take. */
function blockedAt(path: string): [string, number] {
  const folder = dirname(path);
  try {
    statSync(path);
    return [path, 0o040];
  } catch {
    return visible(folder) || folder === path ? [folder, 0o010] : blockedAt(folder);
  }
}

function visible(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
