import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { actAs, type UserId } from '../process/act-as.ts';

/**
 * Files in folders where others may put things. However such a file is opened, a named pipe or a device holds nothing up,
 * and what is no regular file is refused.
 */
const careful = constants.O_NONBLOCK | constants.O_NOCTTY;

/** Why a file that is there was not read: `kind` is no regular file, `size` is more than is read. */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
  readonly why: 'kind' | 'size';
  /** As a system error has one: who asks what lies there need not know more. */
  readonly code = 'EINVAL';

  constructor(why: 'kind' | 'size', message: string) {
    super(message);
    this.why = why;
  }
}

/** Opens one of ours: no link is followed. Throws a system error, or a ForeignFileError. */
export function openForeignSync(path: string, flags: number = constants.O_RDONLY, mode?: number): number {
  const file = openSync(path, flags | careful | constants.O_NOFOLLOW, mode);
  try {
    requireFile(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The same, for reading by and by. */
export async function openForeign(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | careful | constants.O_NOFOLLOW);
  try {
    requireFile(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Bytes of a journal or notice of ours; anything near is none. */
export const longestNote = 4 * 1024 * 1024;

/** The text of one of ours; no link is followed. One that is longer than `limit` bytes is refused. */
export function readForeignSync(path: string, limit: number): string {
  const file = openForeignSync(path);
  try {
    return readAll(file, path, limit).toString('utf8');
  } finally {
    closeSync(file);
  }
}

export interface ForeignFile {
  bytes: Uint8Array;
  stats: Stats;
}

/**
 * Reads a file that somebody else has named, by whatever links: as `as`, where we are root, so that it shows nothing which
 * they could not see themselves; at most `limit` bytes of it. Throws what the system says, or a ForeignFileError.
 */
export function readForeignFile(
  path: string,
  { as, limit }: { as: UserId | undefined; limit: number },
): ForeignFile {
  return actAs(as, () => {
    const file = openSync(path, constants.O_RDONLY | careful);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw new ForeignFileError('kind', kindOf(stats));
      return { bytes: readAll(file, 'it', limit, stats.size), stats };
    } finally {
      closeSync(file);
    }
  });
}

const partBytes = 64 * 1024;

/** What `size` says is not relied upon: files of /proc have none, and others grow. */
function readAll(file: number, path: string, limit: number, size = fstatSync(file).size): Buffer {
  if (size > limit) throw tooLong(path, size, limit);
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const part = Buffer.alloc(Math.min(limit - length + 1, Math.max(partBytes, size - length + 1)));
    const bytes = readSync(file, part, 0, part.length, null);
    if (bytes === 0) return Buffer.concat(parts, length);
    parts.push(part.subarray(0, bytes));
    length += bytes;
    if (length > limit) throw tooLong(path, length, limit);
  }
}

function tooLong(path: string, size: number, limit: number): ForeignFileError {
  return new ForeignFileError('size', `${path} has ${size} bytes, more than ${limit}`);
}

function requireFile(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new ForeignFileError('kind', `${path} is no regular file`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'it is a folder';
  if (stats.isFIFO()) return 'it is a named pipe';
  if (stats.isSocket()) return 'it is a socket';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'it is a device' : 'it is no regular file';
}
