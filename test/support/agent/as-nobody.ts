import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { onTestFinished } from 'vitest';

const nobody = 65_534;

/**
 * Gives up root until the test ends, so that permissions count; an ordinary user loses the right to `files` instead
 * (mode 0000). `folder` and those above it are opened for passing through.
 */
export function actAsNobody(folder: string, files: string[]): void {
  const uid = process.geteuid?.();
  if (uid !== 0) {
    for (const file of files) {
      const { mode } = statSync(file);
      chmodSync(file, 0);
      // The last file first: a folder is given back before what is in it.
      onTestFinished(() => chmodSync(file, mode));
    }
    return;
  }
  for (let each = folder; (statSync(each).mode & 0o001) === 0; each = dirname(each)) chmodSync(each, 0o711);
  process.seteuid?.(nobody);
  onTestFinished(() => process.seteuid?.(uid));
}
