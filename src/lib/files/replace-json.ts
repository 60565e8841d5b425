import { closeSync, constants, fchmodSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { openForeignSync } from './foreign-file.ts';

/**
 * Replaces a small file of ours by `value` as JSON: the old one, or the new one and durable. Only its owner may read it.
 * At once and not by and by, so that it can be done as somebody else (see actAs).
 */
export function replaceJson(path: string, value: unknown): void {
  const temporary = `${path}.tmp`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  const file = openForeignSync(temporary, flags, 0o600);
  try {
    fchmodSync(file, 0o600);
    writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes names in a folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
