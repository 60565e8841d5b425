import {
  fstat,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  read,
  readFileSync,
  readSync,
  writeFileSync,
  type StatOptions,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ReadAt } from './read-at.ts';

/** An open file that may be read at any place. */
export interface OpenedFile extends ReadAt, Pick<FileHandle, 'stat' | 'close'> {}

/** A regular file that somebody with more rights has opened for us, and the path that he was given. */
export interface LentFile {
  path: string;
  descriptor: number;
}

/** A folder to be filled that he has made for us; what is in it when we have ended, he moves to its path. */
export interface LentFolder extends LentFile {
  /** Names that are there at its path, and stay. */
  taken: readonly string[];
}

interface Lent {
  files: readonly LentFile[];
  /** Paths of folders whose files are among them. */
  folders: readonly string[];
  fill: LentFolder | undefined;
}

let lent: Lent = { files: [], folders: [], fill: undefined };

/** From here on they are what lies at their paths. */
export function useLent(all: Lent): void {
  lent = all;
}

/** Undefined where nobody has opened that path for us. It stays open: a plan and what is done by it both read it. */
export function lentDescriptor(path: string): number | undefined {
  return lent.files.find((file) => resolve(file.path) === resolve(path))?.descriptor;
}

/** Names of the files in a folder; undefined where nobody has opened that for us. */
export function lentNames(folder: string): string[] | undefined {
  const path = resolve(folder);
  if (!lent.folders.some((each) => resolve(each) === path)) return undefined;
  return lent.files
    .map((file) => resolve(file.path))
    .filter((file) => dirname(file) === path)
    .map((file) => basename(file));
}

/** Undefined where nobody has made a folder for us that is to be at that path; `place`: where it is now. */
export function lentFolder(path: string): (LentFolder & { place: string }) | undefined {
  const { fill } = lent;
  if (fill === undefined || resolve(fill.path) !== resolve(path)) return undefined;
  // We might not get there by its name.
  return { ...fill, place: `/proc/self/fd/${fill.descriptor}` };
}

/** See lentDescriptor. */
export function openLentFile(path: string): OpenedFile | undefined {
  const descriptor = lentDescriptor(path);
  if (descriptor === undefined) return undefined;
  return {
    read: async (buffer, offset, length, position) => {
      const { bytesRead } = await readAt(descriptor, buffer, offset, length, position);
      return { bytesRead };
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same function, by another's descriptor
    stat: (async (options?: StatOptions) => await statOf(descriptor, options)) as FileHandle['stat'],
    close: async () => {},
  };
}

/** A small file that a person has named, whoever has opened it. Throws Node’s system error. */
export function readNamedFile(path: string): Buffer {
  const descriptor = lentDescriptor(path);
  return descriptor === undefined ? readFileSync(path) : readWhole(descriptor);
}

/** From its start, wherever others have read to. */
export function readWhole(descriptor: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(descriptor).size);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
}

/**
 * False where nobody has opened that path for us. Whoever has puts it in its place when we have ended. Nothing is in it where
 * this throws.
 */
export function writeLentFile(path: string, content: string | Uint8Array): boolean {
  const descriptor = lentDescriptor(path);
  if (descriptor === undefined) return false;
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } catch (error) {
    ftruncateSync(descriptor);
    throw error;
  }
  return true;
}

const readAt = promisify(read);
const statOf = promisify(fstat);
