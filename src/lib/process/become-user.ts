import type { UserId } from './act-as.ts';

/**
 * From here on, for good, with the rights of that user and his own groups, where we are root; before anything of his is
 * looked at. What is loaded later must be readable for him. Throws where that cannot be.
 */
export function becomeForGood({ uid, gid }: UserId): void {
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
