import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a small file so that a reader or a crash sees the old content or the new, never a part, and so that the
 * new one is durable when this resolves: temporary file beside it, fsync, rename, fsync of the folder.
 * `mode` is what the file gets whatever the umask; a symbolic link at `path` is replaced, not followed.
 * Rejects with Node's system error; then the old file is as it was and no temporary file is left.
 */
export async function writeAtomic(
  path: string,
  content: string | Uint8Array,
  options: { mode: number },
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  // Until fchmod nobody else may read it, even where the final mode is wider.
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      await file.writeFile(content);
      await file.chmod(options.mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes renames and removals in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
