import { globSync } from 'node:fs';
import type { UserId } from '../process/act-as.ts';
import { readForeignFile } from './foreign-file.ts';

/** How files that somebody else has named are read: here and now, or as another process has read them. */
export interface FileReader {
  /** At most `limit` bytes of it. Throws what the system says, or a ForeignFileError. */
  read(this: void, path: string, limit: number): Uint8Array;
  /** Paths that a pattern fits. */
  glob(this: void, pattern: string): string[];
}

/** `as`: with whose rights, where we are root. */
export function readerAs(as: UserId | undefined): FileReader {
  return {
    read: (path, limit) => readForeignFile(path, { as, limit }).bytes,
    glob: (pattern) => globSync(pattern),
  };
}
