import { readFileSync, statSync, type Stats } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { systemCode } from '../../domain/errors.ts';

/** `root:redis, mode 0640`: whose a file is, for messages. Ids stand where the host has no name for them. */
export function describeOwner(stats: Stats): string {
  const user = nameOf('/etc/passwd', stats.uid);
  const group = nameOf('/etc/group', stats.gid);
  return `${user}:${group}, mode ${describeMode(stats.mode)}`;
}

/** `0640`: the permission bits as chmod takes them. */
export function describeMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** The user's name, for messages; the id where the host has no name for it. */
export function userName(uid: number): string {
  return nameOf('/etc/passwd', uid);
}

/** The group's name, for usermod and messages; the id where the host has no name for it. */
export function groupName(gid: number): string {
  return nameOf('/etc/group', gid);
}

/** The user that this process acts as: what a message about permissions has to name. */
export function currentUser(): string {
  const uid = process.geteuid?.();
  return uid === undefined ? userInfo().username : nameOf('/etc/passwd', uid);
}

/**
 * Why a file could not be opened or read, as the end of a sentence, with its owner where that can be seen:
 * `permission denied for redis-agent (it belongs to root:root, mode 0600)`. `user`: with whose rights it was tried.
 */
export function describeReadFailure(path: string, cause: unknown, user = currentUser()): string {
  const code = systemCode(cause);
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'ENOTDIR') return 'a part of its path is not a folder';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ELOOP') return 'its symbolic links go in a circle';
  if (code !== 'EACCES' && code !== 'EPERM') return code ?? 'it cannot be read';
  return `permission denied for ${user} (${describeNearest(path)})`;
}

/** Whose the file is, or, where a folder above it may not be entered, whose that folder is. */
function describeNearest(path: string): string {
  for (let each = path; ; each = dirname(each)) {
    const stats = statIfAllowed(each);
    if (stats !== undefined)
      return `${each === path ? 'it' : `the folder ${each}`} belongs to ${describeOwner(stats)}`;
  }
}

/** Ends at `/` at the latest, which everybody may look at. */
function statIfAllowed(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (path === '/' || path === '.') throw error;
    return undefined;
  }
}

/** Field 1 of the line whose field 3 is `id`, in passwd(5) or group(5). */
function nameOf(table: string, id: number): string {
  let text: string;
  try {
    text = readFileSync(table, 'utf8');
  } catch {
    return String(id);
  }
  const line = text.split('\n').find((each) => each.split(':')[2] === String(id));
  return line?.split(':')[0] ?? String(id);
}
