import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { replaceFile, type FileAttributes } from '../../../harden/apply/write-file.ts';
import { pathFacts } from '../../../harden/read/read-files.ts';
import type { UserId } from '../../../lib/process/act-as.ts';
import { distrustFolder } from '../../../lib/files/distrust-path.ts';
import { readForeignFile } from '../../../lib/files/foreign-file.ts';

const largest = 64 * 1024;

/**
 * Puts the new password where a consumer reads it, with the rights of whose folder that is; mode, owner and a line end at its
 * end stay. `rehearse`: all but that, to see whether it can be done.
 */
export function writeSecretFile(path: string, password: string, { rehearse = false } = {}): void {
  const before = lstatSync(path, { throwIfNoEntry: false });
  const as = whoWritesIn(dirname(path));
  const old = before === undefined ? '' : readOld(path, before, as);
  const end = /\r?\n$/.exec(old)?.[0] ?? '';
  if (!rehearse && old === password + end) return;
  replaceFile(path, Buffer.from(password + end), before ?? attributesOfNew(as), as, { rehearse });
}

/** Why that file cannot be written; undefined where nothing is against it. */
export function whyNotSecretFile(path: string): string | undefined {
  try {
    const folder = dirname(path);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!statSync(folder).isDirectory()) return `${folder} is no folder`;
    if (stats?.isSymbolicLink() === true) return `${path} is a link: name the file itself`;
    if (stats?.isFile() === false) return `${path} is no regular file`;
    if (stats !== undefined && (stats.mode & 0o004) !== 0)
      return `everybody may read ${path}: chmod 0600 it first`;
    if (pathFacts(path)?.mountPoint === true)
      return `${path} is a mount of its own, which no new file can take the place of: mount its folder instead`;
    writeSecretFile(path, '', { rehearse: true });
    return undefined;
  } catch (error) {
    return `${path}: ${messageOf(error)}`;
  }
}

/** Root writes in its own folders, and in another's as he. */
function whoWritesIn(folder: string): UserId | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(folder);
  if (uid !== 0) return { uid, gid };
  const distrust = distrustFolder(folder, 0);
  if (distrust === undefined) return undefined;
  throw new AgentError('refused', `root does not write in ${folder}: ${distrust}`, { reason: 'unwritable' });
}

/** In another's folder a name may lead elsewhere by now: with the rights of the file's owner, and never as root. */
function readOld(path: string, { uid, gid }: Stats, writer: UserId | undefined): string {
  const as = writer === undefined || uid === 0 ? writer : { uid, gid };
  return Buffer.from(readForeignFile(path, { as, limit: largest }).bytes).toString('latin1');
}

function attributesOfNew(as: UserId | undefined): FileAttributes {
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  return { mode: 0o600, ...(as ?? own) };
}
