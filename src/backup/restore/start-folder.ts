import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * From where a server must be started for its configuration's `dir` to be `dir`, which has no symbolic links in it: the
 * root, as for a service, unless what is written is relative. Undefined when no folder is known to make it so.
 */
export function startFolder(written: string, dir: string): string | undefined {
  if (written.startsWith('/')) return '/';
  return [dir, ...foldersAbove(dir)].find((folder) => resolved(resolve(folder, written)) === dir);
}

function foldersAbove(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [] : [above, ...foldersAbove(above)];
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
