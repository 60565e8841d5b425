import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { actAs, type UserId } from '../../lib/process/act-as.ts';

/** Whose a file is, and who may do what with it. */
export interface FileAttributes {
  mode: number;
  uid: number;
  gid: number;
}

/**
 * Replaces a configuration file by a rename: readers and crashes see the old one or the new one. Mode, owner and group are
 * those given. `as`: with whose rights, where we are root. A symbolic link at `path` is for the caller to resolve. Throws
 * a system error; then the old file is as it was and nothing is left. `rehearse`: everything but the rename.
 */
export function replaceFile(
  path: string,
  bytes: Uint8Array,
  attributes: FileAttributes,
  as: UserId | undefined,
  { rehearse = false } = {},
): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = actAs(as, () => openSync(temporary, flags, 0o600));
  try {
    try {
      actAs(as, () => writeAll(file, bytes));
      const made = fstatSync(file);
      // By the descriptor and as root: the name may be somebody else's by now.
      if (made.uid !== attributes.uid || made.gid !== attributes.gid)
        fchownSync(file, attributes.uid, attributes.gid);
      fchmodSync(file, attributes.mode & 0o7777);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    actAs(as, () => (rehearse ? rmSync(temporary) : renameSync(temporary, path)));
  } catch (error) {
    actAs(as, () => rmSync(temporary, { force: true }));
    throw error;
  }
  actAs(as, () => syncFolder(folder));
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

export function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
