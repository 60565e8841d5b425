import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { UserId } from './act-as.ts';

/** Owns nothing on any host; by number, since some hosts have no name for it. */
const nobody: UserId = { uid: 65_534, gid: 65_534 };

/**
 * As whom programs run that read what others have written: `user`, or nobody where that is left out or is root. Undefined
 * where we are not root: then they run as ourselves.
 */
export function unprivileged(user?: UserId): UserId | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  return user === undefined || user.uid === 0 ? nobody : user;
}

/**
 * Gives a file or folder of ours, with all that is in it, to whoever programs run as. Follows no link, and leaves what has
 * another name elsewhere.
 */
export function giveToUnprivileged(path: string, user?: UserId): void {
  const owner = unprivileged(user);
  if (owner === undefined) return;
  const stats = lstatSync(path);
  if (stats.isDirectory()) for (const name of readdirSync(path)) giveToUnprivileged(join(path, name), owner);
  else if (stats.nlink > 1) return;
  lchownSync(path, owner.uid, owner.gid);
}
