import {
  fstat,
  fstatSync,
  fsyncSync,
  read,
  readFileSync,
  readSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
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

let lent: readonly LentFile[] = [];

/** From here on they are what lies at their paths. */
export function useLentFiles(files: readonly LentFile[]): void {
  lent = files;
}

/** Undefined where nobody has opened that path for us. It stays open: a plan and what is done by it both read it. */
export function lentDescriptor(path: string): number | undefined {
  return lent.find((file) => resolve(file.path) === resolve(path))?.descriptor;
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
    stat: async () => await statOf(descriptor),
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

/** False where nobody has opened that path for us. Whoever has puts it in its place. */
export function writeLentFile(path: string, text: string): boolean {
  const descriptor = lentDescriptor(path);
  if (descriptor === undefined) return false;
  writeFileSync(descriptor, text);
  fsyncSync(descriptor);
  return true;
}

const readAt = promisify(read);
const statOf = promisify(fstat);
