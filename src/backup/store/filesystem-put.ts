import { hash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import { ignoring, makeFolders, pruneFolders, syncFolders, temporaryPrefix } from './filesystem-tree.ts';
import { untilAborted } from './until-aborted.ts';

/** Written bytes after which the disk is asked to begin with them, so that the last fsync finds little left to do. */
const flushEvery = 32 * 1024 * 1024;

/** link(2)'s answers on file systems without hard links (FAT, some FUSE and network ones). */
const noHardLinks = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/**
 * Writes a new file below `root`: temporary file beside it, fsync, link, fsync of the folders. Rejects with EEXIST when
 * there is one; whatever it rejects with, no temporary file and no new empty folder is left.
 */
export async function writeNewFile(
  root: string,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ bytes: number }> {
  const folder = dirname(path);
  const { file, temporary } = await openTemporary(folder);
  try {
    let bytes: number;
    try {
      bytes = await writeAll(file, untilAborted(chunks, signal));
      await file.sync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await publish(temporary, path);
    try {
      await rm(temporary, { force: true });
      await syncFolders(root, folder);
    } catch (error) {
      // It is there but perhaps not for long: a failed put leaves nothing.
      await rm(path, { force: true });
      throw error;
    }
    return { bytes };
  } catch (error) {
    await ignoringAll(rm(temporary, { force: true }));
    await pruneFolders(root, folder);
    throw error;
  }
}

async function openTemporary(folder: string): Promise<{ file: FileHandle; temporary: string }> {
  const temporary = join(folder, `${temporaryPrefix}${randomBytes(8).toString('hex')}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  for (let attempt = 1; ; attempt += 1) {
    await makeFolders(folder);
    try {
      return { file: await open(temporary, flags, 0o640), temporary };
    } catch (error) {
      // A `remove` beside us pruned the folder that was still empty.
      if (systemCode(error) !== 'ENOENT' || attempt === 5) throw error;
    }
  }
}

async function writeAll(file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  let unflushed = 0;
  let flush: Promise<void> | undefined;
  try {
    for await (const chunk of chunks) {
      // A full disk shows as a short write first and as an error at the next.
      for (let offset = 0; offset < chunk.length;)
        offset += (await file.write(chunk, offset, chunk.length - offset)).bytesWritten;
      bytes += chunk.length;
      unflushed += chunk.length;
      if (unflushed < flushEvery) continue;
      unflushed = 0;
      // One at a time, beside the writing: a disk that is behind slows the producer down instead of filling memory.
      await flush;
      flush = file.datasync();
      // Seen by the next `await flush`; the kernel reports a write-back error only once.
      flush.catch(() => {});
    }
  } finally {
    await flush;
  }
  return bytes;
}

/** Gives the finished file its name unless that is taken (EEXIST). The temporary name may be left. */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    // Unlike rename(2), link(2) never replaces. Node has no renameat2(RENAME_NOREPLACE).
    await link(temporary, path);
  } catch (error) {
    if (!noHardLinks.includes(systemCode(error) ?? '')) throw error;
    await renameUnderLock(temporary, path);
  }
}

/**
 * rename(2) that does not replace, among all that use this function: a lock file keeps others out between looking and
 * renaming. One that a killed process left blocks that name (EEXIST) until it is swept. Exported for its test: no file
 * system without hard links can be mounted everywhere.
 */
export async function renameUnderLock(temporary: string, path: string): Promise<void> {
  // Hashed, since name and suffix together may be too long for a file name.
  const lock = join(dirname(path), `${temporaryPrefix}${hash('sha256', basename(path))}`);
  await (await open(lock, 'wx', 0o640)).close();
  try {
    const taken = await ignoring(['ENOENT'], lstat(path));
    if (taken !== undefined) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' });
    await rename(temporary, path);
  } finally {
    await rm(lock, { force: true });
  }
}

/** For clearing up after an error that matters more than this one's. */
async function ignoringAll(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
