import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ReadAt } from '../lib/files/read-at.ts';

/** An open dump; a file handle is one. */
export interface DumpHandle extends ReadAt {
  stat(): Promise<{ size: number }>;
  close(): Promise<void>;
}

/** What lies in a dump's place. */
export interface DumpLook {
  isFile: boolean;
  /** Device and inode, and when it was written last. */
  file: string;
  written: string;
}

/** Who sees and opens a server's dump. */
export interface DumpAccess {
  /** Undefined: nothing is there. Throws when its folder cannot be seen into. */
  look(path: string): Promise<DumpLook | undefined>;
  /** The caller closes it. */
  open(path: string): Promise<DumpHandle>;
}

/** Throws what the system says; ENOENT: its folder is not there either. */
export function lookAtDump(path: string): DumpLook | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (stats === undefined) return void statSync(dirname(path));
  return { isFile: stats.isFile(), file: `${stats.dev}:${stats.ino}`, written: String(stats.mtimeNs) };
}
