import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What lies there is no file: a folder, a named pipe, a device. Has a system error's code, as a link there does. */
class NotAFile extends Error {
  readonly code = 'EINVAL';

  constructor(path: string) {
    super(`${path} is no regular file`);
  }
}

/**
 * Opens a file in a folder where others may put things: no link is followed, a named pipe holds nothing up, and what is
 * no regular file is refused. Throws a system error.
 */
export function openForeignSync(path: string, flags: number = constants.O_RDONLY, mode?: number): number {
  const file = openSync(path, flags | careful, mode);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new NotAFile(path);
}

/** The same, for reading by and by. */
export async function openForeign(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | careful);
  try {
    if (!(await file.stat()).isFile()) throw new NotAFile(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Bytes of a journal or notice of ours; anything near is none. */
export const longestNote = 4 * 1024 * 1024;

const partBytes = 64 * 1024;

/** The text of such a file. One that is longer than `limit` bytes is refused. */
export function readForeignSync(path: string, limit: number): string {
  const file = openForeignSync(path);
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const part = Buffer.alloc(Math.min(limit + 1, partBytes));
      const bytes = readSync(file, part, 0, part.length, null);
      if (bytes === 0) return Buffer.concat(parts).toString('utf8');
      parts.push(part.subarray(0, bytes));
      length += bytes;
      if (length > limit) throw new Error(`${path} has more than ${limit} bytes`);
    }
  } finally {
    closeSync(file);
  }
}
