import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../../domain/errors.ts';
import { actAs } from '../../../lib/act-as.ts';
import { readForeignFile } from '../../../lib/foreign-file.ts';
import { replaceFile } from '../../../harden/apply/write-file.ts';
import { pathFacts } from '../../../harden/read/read-files.ts';

/** Puts the new password where a consumer reads it, with the rights of whose file it is; a line end at its end stays. */
export function writeSecretFile(path: string, password: string): void {
  const before = lstatSync(path, { throwIfNoEntry: false });
  const owner = before ?? statSync(dirname(path));
  const as = owner.uid === 0 ? undefined : { uid: owner.uid, gid: owner.gid };
  const stats = before?.isSymbolicLink() === true ? statSync(path) : before;
  const old =
    before === undefined
      ? ''
      : Buffer.from(readForeignFile(path, { as, limit: 64 * 1024 }).bytes).toString('latin1');
  const end = /\r?\n$/.exec(old)?.[0] ?? '';
  if (old === password + end) return;
  const mine = { mode: 0o600, uid: process.geteuid?.() ?? owner.uid, gid: process.getegid?.() ?? owner.gid };
  const target = stats === undefined ? (as === undefined ? mine : { mode: 0o600, ...as }) : manners(stats);
  replaceFile(path, Buffer.from(password + end), target, as);
}

/** Why that file cannot be written; undefined where nothing is against it. */
export function whyNotSecretFile(path: string): string | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined)
      return statSync(dirname(path)).isDirectory() ? undefined : `${dirname(path)} is no folder`;
    if (stats.isSymbolicLink()) return `${path} is a link: name the file itself`;
    if (!stats.isFile()) return `${path} is no regular file`;
    if ((stats.mode & 0o004) !== 0) return `everybody may read ${path}: chmod 0600 it first`;
    if (pathFacts(path)?.mountPoint === true)
      return `${path} is a mount of its own, which no new file can take the place of`;
    const as = stats.uid === 0 ? undefined : { uid: stats.uid, gid: stats.gid };
    actAs(as, () => statSync(dirname(path)));
    return undefined;
  } catch (error) {
    return `${path}: ${messageOf(error)}`;
  }
}

function manners({ mode, uid, gid }: Stats): { mode: number; uid: number; gid: number } {
  return { mode, uid, gid };
}
