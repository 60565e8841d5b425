import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { openForeignSync, readForeignSync } from '../../../lib/files/foreign-file.ts';

const longestTail = 64 * 1024;
const longestOutput = 16 * 1024 * 1024;

/** Bytes of a log; 0 where there is none, or none for us to see. */
export function logSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What a log says from a place on, the end of it where that is long. */
export function tailOf(path: string, from: number): string {
  const file = openForeignSync(path);
  try {
    const buffer = Buffer.alloc(longestTail);
    const start = Math.max(from, fstatSync(file).size - longestTail);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, longestTail, start));
  } finally {
    closeSync(file);
  }
}

/** What a server without a manager has written. */
export function outputOf(path: string): string {
  return readForeignSync(path, longestOutput);
}
