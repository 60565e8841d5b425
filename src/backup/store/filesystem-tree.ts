import type { Dirent, Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import { isKey } from './store.ts';

/** Names of temporary files start with this; no key's segment can. */
export const temporaryPrefix = '.tmp-';

/** A regular file below the root: an object, or what an interrupted put left. */
export interface Entry {
  /** Relative to the root, `/`-separated. */
  name: string;
  path: string;
  stats: Stats;
}

/**
 * Regular files below `folder` (relative; '' is the root) sorted by name, objects or temporary files.
 * Symbolic links, other file kinds and names that are no keys (non-UTF-8 ones too: they decode to no key) are passed
 * over, and so is what disappears meanwhile.
 */
export async function* walk(
  root: string,
  folder: string,
  kind: 'objects' | 'temporary',
  opened = readFolder(root, folder),
): AsyncGenerator<Entry> {
  const sorted = inOrder(await opened, folder, kind).map(({ isFolder, name }) =>
    isFolder ? folderAhead(root, name) : fileAhead(root, name),
  );
  for (const [index, each] of sorted.entries()) {
    // Each look is a wait: some are begun before it is their turn.
    for (let ahead = index; ahead < Math.min(index + lookahead, sorted.length); ahead += 1)
      sorted[ahead]?.begin();
    if (each.entries !== undefined) yield* walk(root, each.name, kind, each.entries());
    const stats = await each.stats?.();
    if (stats?.isFile() === true) yield { name: each.name, path: join(root, each.name), stats };
  }
}

/** The names of what `walk` yields as objects, in the same order. No file is looked at: only folders are read. */
export async function* walkNames(
  root: string,
  folder: string,
  opened = readFolder(root, folder),
): AsyncGenerator<string> {
  const sorted = inOrder(await opened, folder, 'objects').map(({ isFolder, name }): Ahead =>
    isFolder ? folderAhead(root, name) : { name, begin: () => {} },
  );
  for (const [index, each] of sorted.entries()) {
    for (let ahead = index; ahead < Math.min(index + lookahead, sorted.length); ahead += 1)
      sorted[ahead]?.begin();
    if (each.entries === undefined) yield each.name;
    else yield* walkNames(root, each.name, each.entries());
  }
}

/** What of a folder counts, in the order of its objects: a folder sorts with the slash, `a-b` comes before `a/b`. */
function inOrder(
  entries: readonly Dirent[] | undefined,
  folder: string,
  kind: 'objects' | 'temporary',
): { name: string; isFolder: boolean }[] {
  return (entries ?? [])
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .map((entry) => ({
      name: folder === '' ? entry.name : `${folder}/${entry.name}`,
      isFolder: entry.isDirectory(),
      isTemporary: entry.name.startsWith(temporaryPrefix),
    }))
    .filter(({ name, isFolder, isTemporary }) =>
      kind === 'temporary' && !isFolder ? isTemporary : isKey(name),
    )
    .map((each) => ({ ...each, order: each.isFolder ? `${each.name}/` : each.name }))
    .toSorted((a, b) => (a.order < b.order ? -1 : 1));
}

/** Entries of one folder that are looked at at once. */
const lookahead = 16;

interface Ahead {
  name: string;
  begin: () => void;
  entries?: () => ReturnType<typeof readFolder>;
  stats?: () => Promise<Stats | undefined>;
}

function folderAhead(root: string, name: string): Ahead {
  const entries = begun(() => readFolder(root, name));
  return { name, begin: () => void entries(), entries };
}

function fileAhead(root: string, name: string): Ahead {
  const stats = begun(() => ignoring(['ENOENT'], lstat(join(root, name))));
  return { name, begin: () => void stats(), stats };
}

/** Done once. A failure is his who asks for it: nobody may, when a walk is left early. */
function begun<T>(work: () => Promise<T>): () => Promise<T> {
  let promise: Promise<T> | undefined;
  return () => {
    if (promise === undefined) {
      promise = work();
      promise.catch(() => {});
    }
    return promise;
  };
}

function readFolder(root: string, folder: string): Promise<Dirent[] | undefined> {
  return ignoring(['ENOENT', 'ENOTDIR'], readdir(join(root, folder), { withFileTypes: true }));
}

/**
 * The first symbolic link among the folders of `name` below the root, if any. A link could lead anywhere, so the store
 * has none of them; the root itself may be one.
 */
export async function symbolicLink(root: string, name: string): Promise<string | undefined> {
  let path = root;
  for (const segment of name.split('/').slice(0, -1)) {
    path = join(path, segment);
    const stats = await ignoring(['ENOENT', 'ENOTDIR'], lstat(path));
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return path;
  }
  return undefined;
}

/** Makes the folders down to `folder` (0750 less the umask), the root included. */
export async function makeFolders(folder: string): Promise<void> {
  const first = await makeMissing(folder);
  if (first !== undefined) await syncFolders(dirname(first), folder);
}

/** The first one that was missing. One by one, since Node's recursive way says ENOENT where the system said EROFS. */
async function makeMissing(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder, { mode: 0o750 });
    return folder;
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && (await stat(folder)).isDirectory()) return undefined;
    if (systemCode(error) !== 'ENOENT' || folder === dirname(folder)) throw error;
  }
  const above = await makeMissing(dirname(folder));
  const own = await makeMissing(folder);
  return above ?? own;
}

/** Makes what happened in `folder` and in the folders above it up to `top` durable. */
export async function syncFolders(top: string, folder: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    await syncFolder(path);
    if (path === top || path === dirname(path)) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  // One that is gone was pruned beside us: the one above, which comes next, has that to tell.
  const handle = await ignoring(['ENOENT'], open(path, 'r'));
  if (handle === undefined) return;
  try {
    // Some network and FUSE file systems have no fsync for folders; there is nothing else that could be done there.
    await ignoring(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'], handle.sync());
  } finally {
    await handle.close();
  }
}

/** Removes `folder` and those above it that are empty, up to but without the root. */
export async function pruneFolders(root: string, folder: string): Promise<void> {
  for (let path = folder; path !== root && path.startsWith(root); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch (error) {
      // Gone already (another prune): the one above may be empty now. Anything else: not empty, or not ours to remove.
      if (systemCode(error) !== 'ENOENT') return;
    }
  }
}

/** Folders right below `folder` that are empty and were last touched before `before`; relative to the root, by name. */
export async function emptyFolders(root: string, folder: string, before: Date): Promise<string[]> {
  const entries = await ignoring(['ENOENT', 'ENOTDIR'], readdir(join(root, folder), { withFileTypes: true }));
  const empty: string[] = [];
  for (const entry of entries ?? []) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory() || !isKey(name)) continue;
    const path = join(root, name);
    const [stats, inside] = await Promise.all([
      ignoring(['ENOENT'], lstat(path)),
      ignoring(['ENOENT', 'ENOTDIR', 'EACCES'], readdir(path)),
    ]);
    if (stats !== undefined && stats.mtimeMs < before.getTime() && inside?.length === 0) empty.push(name);
  }
  return empty.toSorted();
}

/** Removes a folder if it is empty, and says whether it has. Whatever else is the case, it may stay. */
export async function removeEmpty(path: string): Promise<boolean> {
  return await rmdir(path).then(
    () => true,
    () => false,
  );
}

/** The result, or undefined when it failed with one of these system errors. */
export async function ignoring<T>(codes: string[], promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
