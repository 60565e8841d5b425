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
import { sha256Of } from '../../../harden/apply/fingerprint.ts';
import type { ServerFiles } from '../../../harden/apply/server-files.ts';
import { sha256 } from '../../../harden/read/hash.ts';
import type { RotationNode } from './nodes.ts';

const largest = 8 * 1024 * 1024;

/** Why one of the files that a rotation writes of that node cannot be replaced; undefined where nothing is against it. */
export async function whyNotWritable(node: RotationNode, rehearse: boolean): Promise<string | undefined> {
  const { files } = node;
  if (files.kind === 'unseen' || files.by === undefined) return undefined;
  for (const path of await writtenFiles(node, files.by)) {
    const why = await whyNotReplaced(path, files.by, rehearse);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Where the user's line stands, where a requirepass does, and the password that the node logs in with at its master. */
async function writtenFiles({ files, replicates }: RotationNode, by: ServerFiles): Promise<Set<string>> {
  const found = new Set(files.kind === 'files' ? [files.path] : []);
  if (files.kind === 'unseen') return found;
  const { reader } = await by.look(files.conf);
  const holds = (path: string, name: readonly string[]): boolean =>
    setDirective(reader.read(path, largest), name, '') !== undefined;
  if (files.kind === 'files' && files.users === 'requirepass')
    for (const path of files.conf) if (holds(path, ['requirepass'])) found.add(path);
  if (!replicates) return found;
  const masterauth = files.conf.filter((path) => holds(path, masterauthNames));
  for (const path of masterauth.length > 0 ? masterauth : files.conf.slice(0, 1)) found.add(path);
  return found;
}

const masterauthNames = ['masterauth', 'primaryauth'];

async function whyNotReplaced(path: string, by: ServerFiles, rehearse: boolean): Promise<string | undefined> {
  try {
    const { place, reader } = await by.look([path]);
    const { mounted, unwritable, foreignOwner, attributes } = place(path);
    if (mounted)
      return `${path} is a mount of its own, which no new file can take the place of: mount its folder instead`;
    if (unwritable !== undefined) return `${path} cannot be replaced: ${unwritable}`;
    if (foreignOwner !== undefined) return `${path} belongs to ${foreignOwner}, which only root could keep`;
    const bytes = reader.read(path, largest);
    // What cannot be written is known before any server hears of a new password.
    if (!rehearse) await by.replace(path, bytes, attributes, sha256Of(bytes));
    return undefined;
  } catch (error) {
    return `${path} cannot be replaced: ${messageOf(error)}`;
  }
}

/** Writes what the next start of that node needs. Nothing is written that is there already. */
export async function keepPasswords(
  { files }: RotationNode,
  user: string,
  edit: PasswordEdit,
): Promise<void> {
  if (files.kind !== 'files') return;
  const options = { user, edit, hash: sha256 };
  await change(files.path, files.by, (bytes) =>
    (files.users === 'aclfile' ? editAclFile : editConfUsers)(bytes, options),
  );
}

/** Of a server with a requirepass alone: makes it a user’s line, in every file where it stands. */
export async function migrateFile({ files, engine }: RotationNode): Promise<void> {
  if (files.kind !== 'files' || files.users !== 'requirepass') return;
  const channels = engine.engine === 'valkey' || atLeastVersion(engine.version, '6.2');
  for (const path of files.conf)
    await change(path, files.by, (bytes) => migrateRequirepass(bytes, { hash: sha256, channels }));
  files.users = 'conf';
}

/** The password that it logs in with at its master, in the files of a node that has them. */
export async function keepMasterauth({ files }: RotationNode, password: string): Promise<void> {
  if (files.kind === 'unseen') return;
  const [main, ...included] = files.conf;
  if (main === undefined || files.by === undefined) return;
  let written = false;
  for (const path of [main, ...included])
    await change(path, files.by, (bytes) => {
      const edited = setDirective(bytes, masterauthNames, password);
      written ||= edited !== undefined;
      return edited;
    });
  if (!written) await change(main, files.by, (bytes) => appendLine(bytes, `masterauth ${password}`));
}

async function change(
  path: string,
  by: ServerFiles,
  edit: (bytes: Uint8Array) => Uint8Array | undefined,
): Promise<void> {
  const { reader, place } = await by.look([path]);
  const bytes = reader.read(path, largest);
  const edited = edit(bytes);
  if (edited === undefined || Buffer.from(edited).equals(bytes)) return;
  try {
    await by.replace(path, edited, place(path).attributes, sha256Of(bytes));
  } catch (error) {
    throw new AgentError('failed', `${path} could not be replaced: ${messageOf(error)}`, {
      hint: 'mend that and run the same command again: it goes on from here',
      cause: error,
    });
  }
}
