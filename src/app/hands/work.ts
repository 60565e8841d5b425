import { folderVerbs } from '../../backup/restore/folder/verbs.ts';
import type { UserId } from '../../lib/act-as.ts';
import { answerVerbs } from '../../lib/verbs/answer.ts';
import { handsLimits, type HandsTask } from './task.ts';

/**
 * The process that works in a server's data directory: with the rights of its user, and knowing nothing but what it is told
 * to do there. What it is asked for comes in at stdin. It ends with who asks, after what it is doing at that moment, and is
 * deaf to what would end it half way.
 */
export async function workInFolder(words: string): Promise<never> {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by start.ts
  const { dir, ownership } = JSON.parse(words) as HandsTask;
  leaveRootFor(ownership.owner);
  process.chdir('/');
  process.umask(0o077);
  await answerVerbs(
    { input: process.stdin, output: process.stdout },
    handsLimits,
    folderVerbs(dir, ownership),
  ).catch(() => {});
  // process.exit would wait for what hangs in somebody's file system.
  process.kill(process.pid, 'SIGKILL');
  return await new Promise<never>(() => {});
}

/** For good, and before anything of that user's is looked at. All that is needed has been loaded: he may not reach our files. */
function leaveRootFor({ uid, gid }: UserId): void {
  if (process.geteuid?.() !== 0 || uid === 0) return;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has it, and its types do not
    (process as unknown as { initgroups(user: number, group: number): void }).initgroups(uid, gid);
  } catch {
    // A number that this host has no name for.
    process.setgroups?.([gid]);
  }
  process.setgid?.(gid);
  process.setuid?.(uid);
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid || process.getegid?.() !== gid)
    throw new Error(`still not user ${uid}`);
}
