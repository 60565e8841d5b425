import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import {
  appendLine,
  editAclFile,
  editConfUsers,
  migrateRequirepass,
  setDirective,
  type PasswordEdit,
} from '../../../formats/acl/edit-passwords.ts';
import { atLeastVersion } from '../../../formats/conf/engine.ts';
import { replaceFile } from '../../../harden/apply/write-file.ts';
import { sha256 } from '../../../harden/read/hash.ts';
import { pathFacts } from '../../../harden/read/read-files.ts';
import { actAs, type UserId } from '../../../lib/act-as.ts';
import { readForeignFile } from '../../../lib/foreign-file.ts';
import type { NodeFiles, RotationNode } from './nodes.ts';

const largest = 8 * 1024 * 1024;

/** Why a file of the node’s cannot be replaced as it has to be; undefined where nothing is against it. */
export function whyNotWritable(files: NodeFiles, rehearse: boolean): string | undefined {
  if (files.kind !== 'files') return undefined;
  const { path, as } = files;
  const facts = pathFacts(path, as);
  if (facts === undefined) return `${path} cannot be seen`;
  if (facts.mountPoint) return `${path} is a mount of its own, which no new file can take the place of`;
  try {
    // What replaces a file needs a new one beside it.
    const { bytes, stats } = readForeignFile(path, { as, limit: largest });
    replaceFile(path, bytes, manners(stats), as, { rehearse });
    return undefined;
  } catch (error) {
    return `${path} cannot be replaced: ${messageOf(error)}`;
  }
}

/** Writes what the next start of that node needs. Nothing is written that is there already. */
export function keepPasswords({ files }: RotationNode, user: string, edit: PasswordEdit): void {
  if (files.kind !== 'files') return;
  const options = { user, edit, hash: sha256 };
  change(files.path, files.as, (bytes) =>
    (files.users === 'aclfile' ? editAclFile : editConfUsers)(bytes, options),
  );
}

/** Of a server with a requirepass alone: makes it a user’s line, in every file where it stands. */
export function migrateFile({ files, engine }: RotationNode): void {
  if (files.kind !== 'files' || files.users !== 'requirepass') return;
  const channels = engine.engine === 'valkey' || atLeastVersion(engine.version, '6.2');
  for (const path of files.conf)
    change(path, files.as, (bytes) => migrateRequirepass(bytes, { hash: sha256, channels }));
  files.users = 'conf';
}

/** The password that it logs in with at its master, in the files of a node that has them. */
export function keepMasterauth({ files }: RotationNode, password: string): void {
  if (files.kind === 'unseen') return;
  const [main, ...included] = files.conf;
  if (main === undefined) return;
  let written = false;
  for (const path of [main, ...included])
    change(path, files.as, (bytes) => {
      const edited = setDirective(bytes, ['masterauth', 'primaryauth'], password);
      written ||= edited !== undefined;
      return edited;
    });
  if (!written) change(main, files.as, (bytes) => appendLine(bytes, `masterauth ${password}`));
}

function change(
  path: string,
  as: UserId | undefined,
  edit: (bytes: Uint8Array) => Uint8Array | undefined,
): void {
  const { bytes, stats } = readForeignFile(path, { as, limit: largest });
  const edited = edit(bytes);
  if (edited === undefined || Buffer.from(edited).equals(bytes)) return;
  try {
    replaceFile(path, edited, manners(stats), as);
  } catch (error) {
    throw new AgentError('failed', `${path} could not be replaced: ${messageOf(error)}`, {
      hint: 'mend that and run the same command again: it goes on from here',
      cause: error,
    });
  }
}

function manners({ mode, uid, gid }: Stats): { mode: number; uid: number; gid: number } {
  return { mode, uid, gid };
}

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
