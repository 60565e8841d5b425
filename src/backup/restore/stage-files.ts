import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { open, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { actAs, type UserId } from '../../lib/act-as.ts';
import { openForeignSync } from '../../lib/foreign-file.ts';
import { currentUser, describeOwner } from '../../lib/file-owner.ts';
import type { Layout } from './layout.ts';

/** Whose the data files are and how they are to be: as those that are there, else as a server would make them. */
export interface FileManners {
  /** Of the server's process, or else of the data. */
  owner: UserId;
  file: { mode: number; uid: number; gid: number };
  folder: { mode: number };
}

/** Looks at what is there. `user` is that of the server's process, where there is one. */
export function learnManners(dir: string, { names }: Layout, user: UserId | undefined): FileManners {
  const look = (name: string): Stats | undefined => lstatSync(join(dir, name), { throwIfNoEntry: false });
  const folder = look('.');
  if (folder?.isDirectory() !== true)
    throw new AgentError('failed', `the server's data directory ${dir} is not there`, {
      reason: 'dir',
      hint: 'mount or make it, with the server’s user as its owner',
    });
  const file = [names.dump, names.aofFile].map(look).find((stats) => stats?.isFile() === true);
  const aofDir = look(names.aofDir);
  const { uid, gid } = user ?? file ?? folder;
  return {
    owner: { uid, gid },
    file: {
      mode: file === undefined ? 0o640 : file.mode & 0o777,
      // What lies there may be a link to anybody's, or a copy that somebody else has made.
      uid: user?.uid ?? file?.uid ?? uid,
      gid: file === undefined || file.uid !== uid ? gid : file.gid,
    },
    folder: { mode: aofDir?.isDirectory() === true ? aofDir.mode & 0o777 : 0o750 },
  };
}

/** Refuses before anything is touched: rights, room, hard links, an AOF folder that is a mount of its own. */
export async function requirePlace(
  dir: string,
  { names }: Layout,
  { owner }: FileManners,
  bytes: number,
): Promise<void> {
  const probe = join(dir, `.redis-agent-probe-${process.pid}`);
  try {
    actAs(owner, () => {
      writeFileSync(probe, '', { flag: 'wx', mode: 0o600 });
      try {
        linkSync(probe, `${probe}.link`);
      } finally {
        rmSync(`${probe}.link`, { force: true });
        rmSync(probe, { force: true });
      }
    });
  } catch (error) {
    throw cannotWrite(dir, error);
  }
  const aofDir = lstatSync(join(dir, names.aofDir), { throwIfNoEntry: false });
  if (aofDir?.isDirectory() === true && aofDir.dev !== lstatSync(dir).dev)
    throw new AgentError(
      'refused',
      `${join(dir, names.aofDir)} is a mount of its own, which cannot be set aside by rename`,
      {
        reason: 'mount',
        hint: 'mount the file system at the data directory instead',
      },
    );
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (free < bytes + diskMargin)
    throw new AgentError(
      'failed',
      `staging takes ${formatBytes(bytes + diskMargin)} in ${dir}, which has ${formatBytes(free)} free; nothing was touched`,
      { reason: 'full', hint: 'free some there: the old data stays beside the new, so both must fit' },
    );
}

/** Left free for the server itself. */
const diskMargin = 64 * 1024 * 1024;

/** What it means that the system refuses us that directory. */
export function cannotWrite(dir: string, error: unknown): AgentError {
  const code = systemCode(error);
  const denied = code === 'EACCES' || code === 'EPERM';
  const whose = describeIfSeen(dir);
  if (denied && process.geteuid?.() !== 0)
    return new AgentError(
      'refused',
      `${currentUser()} may not write to the server's data directory ${dir}${whose}`,
      {
        reason: 'rights',
        hint: 'run it as root: sudo redis-agent restore …',
        cause: error,
      },
    );
  return new AgentError(
    'failed',
    `cannot write to the server's data directory ${dir}${whose}: ${messageOf(error)}`,
    {
      reason: 'rights',
      hint: denied
        ? 'its owner needs rwx there, and the file system hard links'
        : 'put that right first: nothing was touched',
      cause: error,
    },
  );
}

function describeIfSeen(dir: string): string {
  try {
    return ` (${describeOwner(lstatSync(dir))})`;
  } catch {
    return '';
  }
}

/** Makes the private folder of one run; `path` is relative to `dir`. */
export function makeWork(dir: string, path: string, { owner }: FileManners): void {
  actAs(owner, () => mkdirSync(join(dir, path), { mode: 0o700, recursive: true }));
}

/** A new file in it, open for writing; only its owner may read it until it is finished. */
export async function createStaged(path: string, { owner }: FileManners): Promise<FileHandle> {
  const made = actAs(owner, () =>
    openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600),
  );
  try {
    // The same file by its descriptor, whatever has become of its name.
    return await open(`/proc/self/fd/${made}`, 'w');
  } finally {
    closeSync(made);
  }
}

/** Owner, mode, durable. */
export async function finishStaged(file: FileHandle, manners: FileManners): Promise<void> {
  await giveManners(file, manners);
  await file.sync();
}

/** Makes a finished file durable that is only half so: its owner and mode are right. */
export async function syncStaged(path: string, manners: FileManners): Promise<void> {
  await using file = await openStaged(path, manners);
  await file.sync();
}

/** Opens one of them for reading. */
export async function openStaged(path: string, { owner }: FileManners): Promise<FileHandle> {
  const opened = actAs(owner, () => openForeignSync(path));
  try {
    return await open(`/proc/self/fd/${opened}`, 'r');
  } finally {
    closeSync(opened);
  }
}

/** Owner and mode. */
export async function giveManners(
  file: FileHandle,
  { file: { mode, uid, gid }, owner }: FileManners,
): Promise<void> {
  if (process.geteuid?.() === 0) await file.chown(uid, gid);
  else if (gid !== owner.gid) await file.chown(-1 >>> 0, gid).catch(() => undefined);
  await file.chmod(mode);
}

/** Removes the folder of one run: copies of the backup, and second names of what is in its place. */
export function removeWork(dir: string, work: string, owner: UserId): void {
  actAs(owner, () => rmSync(join(dir, work), { recursive: true, force: true }));
}

/** Clears what interrupted runs have left beside the journals; data that was set aside is never in there. */
export function sweepWork(dir: string, folder: string, owner: UserId): void {
  actAs(owner, () => {
    const path = join(dir, folder);
    for (const entry of lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(path, { withFileTypes: true })
      : [])
      if (entry.isDirectory()) rmSync(join(path, entry.name), { recursive: true, force: true });
  });
}
