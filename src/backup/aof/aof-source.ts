import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AgentError, systemCode } from '../../domain/errors.ts';
import { describeReadFailure } from '../../lib/files/file-owner.ts';
import { lentDescriptor, lentNames, openLentFile, type OpenedFile } from '../../lib/files/lent-file.ts';

/** An append only file: a manifest with the files that it lists beside it, or one file. */
export interface AofSource {
  layout: 'multi-part' | 'single';
  /** The manifest, or the file. */
  path: string;
}

/** As servers from 7.0 on call the files of a set. */
const partName = /^(?!temp-).*\.\d+\.(?:base\.(?:rdb|aof)|incr\.aof)$/;

/** Is it one file of a set, which is nothing without the others? */
export function isPartOfSet({ layout, path }: AofSource): boolean {
  return layout === 'single' && partName.test(basename(path));
}

/** O_NONBLOCK: a named pipe in a file's place must not hang us. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * What lies at a path that somebody named: an appenddirname, a manifest, or one file, also a folder with but that one. Throws an AgentError `failed` when
 * there is none of these.
 */
export async function findAofSource(named: string): Promise<AofSource> {
  const path = resolve(named);
  if (!(await isFolder(path))) return { layout: path.endsWith('.manifest') ? 'multi-part' : 'single', path };
  const names = await namesIn(path);
  // A server that ended while it wrote leaves such behind, and passes over it.
  const manifests = names.filter((name) => name.endsWith('.manifest') && !name.startsWith('temp-'));
  const [manifest, ...others] = manifests;
  if (manifest !== undefined && others.length === 0)
    return { layout: 'multi-part', path: join(path, manifest) };
  // One of them alone, or in another order, is other data, which a server would load without a word.
  const part = names.find((name) => partName.test(name));
  if (manifest === undefined && part !== undefined)
    throw new AgentError('failed', `${part} in ${path} is part of a set, and its manifest is not there`, {
      reason: 'missing',
      hint: 'find that, or write it as <appendfilename>.manifest: a line for each file, the base first: file NAME seq NUMBER type b, then file NAME seq NUMBER type i',
    });
  const [single, ...more] = names.filter((name) => name.endsWith('.aof') && !name.startsWith('temp-'));
  if (manifest === undefined && single !== undefined && more.length === 0)
    return { layout: 'single', path: join(path, single) };
  const old = manifest === undefined && single === undefined ? await upgraded(path) : undefined;
  if (old !== undefined) return { layout: 'single', path: old };
  throw new AgentError(
    'failed',
    manifest === undefined
      ? `there is no AOF manifest in ${path}`
      : `there are ${manifests.length} AOF manifests in ${path}`,
    { reason: 'missing', hint: 'name the folder of the AOF (appenddirname), a manifest, or one file' },
  );
}

async function isFolder(path: string): Promise<boolean> {
  if (lentNames(path) !== undefined) return true;
  if (lentDescriptor(path) !== undefined) return false;
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return stats.isDirectory();
}

/** Of the files in a folder, and what else there is. Throws an AgentError `failed`. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = lentNames(folder);
  if (names !== undefined) return names;
  return await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
}

/** The one file of a server before 7.0, whose upgrade ended when it had made the folder: beside that, by its usual name. */
async function upgraded(folder: string): Promise<string | undefined> {
  const path = join(dirname(folder), 'appendonly.aof');
  if (lentDescriptor(path) !== undefined) return path;
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true ? path : undefined;
}

/** Opens a file for reading, or resolves with undefined when there is none. Throws an AgentError `failed`. */
export async function openAofFile(path: string): Promise<OpenedFile | undefined> {
  const lent = openLentFile(path);
  if (lent !== undefined) return lent;
  // What was not opened with its folder is not there, or no file.
  if (lentNames(dirname(path)) !== undefined) return undefined;
  let handle: OpenedFile;
  try {
    handle = await open(path, readOnly);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new AgentError('failed', `${path} is not a regular file`, {
    reason: 'not-regular',
    hint: 'Redis writes its AOF as regular files: who put something else in its place?',
  });
}

/** What to do when the files are not to be seen from here, as the end of an error. */
function unreadable(path: string, cause: unknown): AgentError {
  const code = systemCode(cause);
  const denied = code === 'EACCES' || code === 'EPERM';
  const hint = denied
    ? `put the agent’s user into the group of the server, and let that group read and enter ${dirname(path)}`
    : code === 'ENOENT'
      ? 'does the server run in a container or on another host? The agent must see its folder under the same path'
      : 'check the file system';
  return new AgentError('failed', `cannot read ${path}: ${describeReadFailure(path, cause)}`, {
    cause,
    reason: denied ? 'denied' : 'unreadable',
    hint,
  });
}

/** What a manifest is called that lies beside the files of this source. */
export function manifestName({ layout, path }: AofSource): string {
  return layout === 'multi-part' ? basename(path) : `${basename(path)}.manifest`;
}
