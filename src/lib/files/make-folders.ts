import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing, each with that mode, and returns those that it has made, the deepest
 * first. One that is there is left as it is. Throws Node's system error. Node's own `recursive` never comes back where a
 * file system makes no folders, as below /proc.
 */
export function makeFolders(path: string, mode: number): string[] {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) return [];
  const above = there === undefined && dirname(path) !== path ? makeFolders(dirname(path), mode) : [];
  try {
    mkdirSync(path, { mode });
    return [path, ...above];
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
    return above;
  }
}
