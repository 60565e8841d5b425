import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { systemCode } from '../../domain/errors.ts';

export const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A dump, or an append only file's files in a folder. */
export const deepest = 2;

/** From here on it is ours alone. */
export function own(descriptor: number, mode: number): void {
  fchownSync(descriptor, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  fchmodSync(descriptor, mode);
}

/** Removes what is in it, and takes it over before. Throws where something lies deeper than `depth`. */
export function empty(folder: number, depth: number): void {
  own(folder, 0o700);
  for (const name of readdirSync(`/proc/self/fd/${folder}`)) {
    const path = `/proc/self/fd/${folder}/${name}`;
    const inner = depth > 1 ? openFolder(path) : undefined;
    if (inner === undefined) {
      unlinkSync(path);
      continue;
    }
    try {
      empty(inner, depth - 1);
    } finally {
      closeSync(inner);
    }
    rmdirSync(path);
  }
}

/** Undefined where something else lies there; no link is followed. */
export function openFolder(path: string): number | undefined {
  try {
    return openSync(path, folderFlags);
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR' || systemCode(error) === 'ELOOP') return undefined;
    throw error;
  }
}
