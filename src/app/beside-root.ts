import { closeSync, openSync, statSync } from 'node:fs';
import { AgentError, messageOf } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import { actAs, type UserId } from '../lib/process/act-as.ts';
import { userName } from '../lib/files/file-owner.ts';

/** Whose the state directory is, where we are root and that is somebody else. */
export function ownerBesideRoot(directory: string): UserId | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(directory, { throwIfNoEntry: false });
  return owner === undefined || owner.uid === 0 ? undefined : { uid: owner.uid, gid: owner.gid };
}

/**
 * Code is read when it is needed, and by then as that user. Throws an AgentError `usage` where he may not read it: a checkout in
 * a folder of root's.
 */
export function requireReadable(user: UserId): void {
  const own = import.meta.filename;
  try {
    closeSync(actAs(user, () => openSync(own, 'r')));
  } catch (error) {
    throw new AgentError('usage', `${userName(user.uid)}, as whom this goes on, may not read ${own}`, {
      reason: 'program',
      cause: error,
      hint: 'install redis-agent where everybody may read it: a package, or sudo scripts/install.sh in the checkout',
    });
  }
}

/**
 * Run by root beside a daemon that is not root, the agent becomes the daemon's user: files stay readable for it, and
 * the work goes the same way with the same rights.
 */
export function becomeUser({ uid, gid }: UserId, directory: string, log: Log): void {
  requireReadable({ uid, gid });
  try {
    // With the user's own groups: the daemon reads dump.rdb through one of them. The types lack this function.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as node:process documents it
    (process as unknown as { initgroups(user: number, group: number): void }).initgroups(uid, gid);
    process.setgid?.(gid);
    process.setuid?.(uid);
    log.debug({ uid }, 'going on as the owner of the state directory');
  } catch (error) {
    throw new AgentError(
      'failed',
      `cannot become uid ${uid}, the owner of ${directory}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
