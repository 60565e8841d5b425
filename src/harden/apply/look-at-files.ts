import { accessSync, constants, lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import { actAs, type UserId } from '../../lib/process/act-as.ts';
import { distrustFolder } from '../../lib/files/distrust-path.ts';
import { currentUser, describeOwner, userName } from '../../lib/files/file-owner.ts';
import { mountPoints } from '../../lib/files/mount-points.ts';
import type { PlaceFacts } from './judge-place.ts';
import type { FileAttributes } from './write-file.ts';

/**
 * With whose rights the files of a server are changed. Where we are not root: ours, undefined. Where the main file’s folder
 * is its service’s: the service’s. Where it is root’s alone, by its name and behind every link: root’s own, also undefined;
 * what lies there only root has named.
 */
export function actorFor(
  mainFile: string,
  service: UserId | undefined,
): { as: UserId | undefined; trusted: boolean } {
  if (process.geteuid?.() !== 0) return { as: undefined, trusted: false };
  const link = lstatSync(mainFile);
  const folders = [dirname(mainFile), dirname(realpathSync(mainFile))];
  const isRoots = folders.every((folder) => distrustFolder(folder, 0) === undefined);
  // A link that the server has made leads where it likes.
  if (isRoots && (!link.isSymbolicLink() || link.uid === 0)) return { as: undefined, trusted: true };
  return { as: service, trusted: false };
}

/**
 * The same for another file of the server. Only where the main file lies in root's own folder may root go by where this one
 * lies: else nobody but the server has named it.
 */
export function actorBeside(
  main: { as: UserId | undefined; trusted: boolean },
  path: string,
  service: UserId | undefined,
): { as: UserId | undefined; trusted: boolean } {
  return main.trusted ? actorFor(path, service) : main;
}

/**
 * Whether root may be led to change a file by what a configuration, or a note of a change, says: the main file itself, and
 * configurations beside it, but of a folder of others' as /etc is. Real paths.
 */
export function mayBeRoots(path: string, main: string): boolean {
  if (path === main) return true;
  const folder = dirname(main);
  return dirname(path) === folder && folder !== '/etc' && folder !== '/' && /\.(?:conf|acl)$/.test(path);
}

/** What the system says of a file that is to be replaced. */
export type FilePlace = Omit<PlaceFacts, 'managed' | 'sentinel'> & { attributes: FileAttributes };

/** Looks. Changes nothing. */
export function lookAtPlace(
  path: string,
  { as, trusted }: { as: UserId | undefined; trusted: boolean },
): FilePlace {
  const real = actAs(as, () => realpathSync(path));
  const stats = actAs(as, () => lstatSync(real));
  const uid = as?.uid ?? process.geteuid?.() ?? 0;
  const isRoot = process.geteuid?.() === 0;
  return {
    path,
    real,
    mounted: mountPoints().has(real),
    unwritable: whyUnwritable(dirname(real), as, trusted),
    foreignOwner:
      isRoot || (stats.uid === uid && mayGive(stats.gid, dirname(real))) ? undefined : describeOwner(stats),
    attributes: { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid },
  };
}

/** Whether a file that we make in that folder can belong to the group. */
function mayGive(gid: number, folder: string): boolean {
  const { mode, gid: inherited } = statSync(folder);
  const own = (mode & setgid) === 0 ? process.getegid?.() : inherited;
  return gid === own || (process.getgroups?.() ?? []).includes(gid);
}

const setgid = 0o2000;

function whyUnwritable(folder: string, as: UserId | undefined, trusted: boolean): string | undefined {
  const who = as === undefined ? currentUser() : userName(as.uid);
  // As root in nobody else's folder.
  if (trusted) {
    const distrust = distrustFolder(folder, 0);
    if (distrust !== undefined) return `root does not write in ${folder}: ${distrust}`;
  }
  const stats = statSync(folder);
  try {
    // access(2) asks for our real user: it tells what is read-only, and of others nothing.
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (as === undefined || mayWrite(stats, as)) return undefined;
  } catch (error) {
    if (systemCode(error) === 'EROFS') return `${folder} is on a file system that is read-only`;
  }
  return `${who} may not write in ${folder}; it belongs to ${describeOwner(stats)}`;
}

/** By the folder’s mode: to make files in it and to pass through. */
function mayWrite({ mode, uid, gid }: Stats, user: UserId): boolean {
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & 0o3) === 0o3;
}
