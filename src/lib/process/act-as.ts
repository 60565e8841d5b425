/** A user of this host, by number. */
export interface UserId {
  uid: number;
  gid: number;
}

/**
 * Runs `work` with the rights of `user` when we are root: files are theirs from the start, and a symbolic link that they
 * have planted leads no further than they could go themselves. `work` is synchronous, so that nothing else of this
 * process runs meanwhile. Where we are not root, or `user` is, nothing changes.
 */
export function actAs<T>(user: UserId | undefined, work: () => T): T {
  if (user === undefined || user.uid === 0 || process.geteuid?.() !== 0) return work();
  const group = process.getegid?.() ?? 0;
  const groups = process.getgroups?.() ?? [];
  // Ours would open what belongs to root's group.
  process.setgroups?.([user.gid]);
  process.setegid?.(user.gid);
  process.seteuid?.(user.uid);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(group);
    process.setgroups?.(groups);
  }
}
