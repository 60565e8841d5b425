import { fstat, read, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ReadAt } from './read-at.ts';

/** An open file that may be read at any place. */
export interface OpenedFile extends ReadAt {
  stat(): Promise<Stats>;
  close(): Promise<void>;
}

/** A regular file that somebody with more rights has opened for us, and the path that he was given. */
export interface LentFile {
  path: string;
  descriptor: number;
}

let lent: LentFile | undefined;

/** From here on it is what lies at its path. */
export function useLentFile(file: LentFile): void {
  lent = file;
}

/** Undefined where nobody has opened that path for us. It stays open: a plan and what is done by it both read it. */
export function openLentFile(path: string): OpenedFile | undefined {
  if (lent === undefined || resolve(path) !== resolve(lent.path)) return undefined;
  const { descriptor } = lent;
  return {
    read: async (buffer, offset, length, position) => {
      const { bytesRead } = await readAt(descriptor, buffer, offset, length, position);
      return { bytesRead };
    },
    stat: async () => await statOf(descriptor),
    close: async () => {},
  };
}

const readAt = promisify(read);
const statOf = promisify(fstat);
