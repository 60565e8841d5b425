import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { actAs, type UserId } from './act-as.ts';

/** Why a file that is there was not read: `kind` is no regular file, `size` is more than is read. */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
  readonly why: 'kind' | 'size';

  constructor(why: 'kind' | 'size', message: string) {
    super(message);
    this.why = why;
  }
}

export interface ForeignFile {
  bytes: Uint8Array;
  stats: Stats;
}

/**
 * Reads a file that somebody else has named: as `as`, where we are root, so that it shows nothing which they could not
 * see themselves; a regular one only, since a named pipe or a device would hold us up; at most `limit` bytes of it.
 * Throws what the system says, or a ForeignFileError.
 */
export function readForeignFile(
  path: string,
  { as, limit }: { as: UserId | undefined; limit: number },
): ForeignFile {
  return actAs(as, () => {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw new ForeignFileError('kind', kindOf(stats));
      if (stats.size > limit)
        throw new ForeignFileError('size', `it has ${stats.size} bytes, more than ${limit}`);
      const bytes = Buffer.alloc(Math.min(limit, stats.size + 1));
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = readSync(descriptor, bytes, length, bytes.length - length, length);
      return { bytes: bytes.subarray(0, length), stats };
    } finally {
      closeSync(descriptor);
    }
  });
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'it is a folder';
  if (stats.isFIFO()) return 'it is a named pipe';
  if (stats.isSocket()) return 'it is a socket';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'it is a device' : 'it is no regular file';
}
