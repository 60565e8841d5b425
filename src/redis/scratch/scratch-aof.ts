import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** An append only file for a scratch server: its files in the order of loading, under whatever names. */
export interface ScratchAof {
  /** What that server reads: one file before 7.0, else a set. */
  layout: 'multi-part' | 'single';
  files: { path: string; type: 'b' | 'i' }[];
}

const single = 'appendonly.aof';
const set = 'appendonlydir';

/**
 * Gives a file of ours a second name in a scratch server's folder. Under root a hard link, where that can be, since the
 * server may not enter the folder that it lies in; else a symbolic one.
 */
export async function lendFile(path: string, name: string): Promise<void> {
  if (process.geteuid?.() === 0) {
    const done = await link(path, name).then(
      () => true,
      () => false,
    );
    if (done) return;
  }
  await symlink(resolve(path), name);
}

/**
 * Links an append only file into a scratch server's folder, and returns the directives that have it loaded from where it
 * is. Servers open the last file of a set for writing: that is one of the scratch server's own. One that is cut off is
 * not shortened, but refused.
 */
export async function linkScratchAof(folder: string, { layout, files }: ScratchAof): Promise<string[]> {
  const directives = [
    ['--appendonly', 'yes', '--appendfilename', single, '--appendfsync', 'no'],
    ['--aof-load-truncated', 'no', '--auto-aof-rewrite-percentage', '0'],
  ].flat();
  if (layout === 'single') {
    const [file] = files;
    if (file !== undefined) await lendFile(file.path, join(folder, single));
    return directives;
  }
  await mkdir(join(folder, set), { mode: 0o700 });
  const lines: string[] = [];
  for (const [index, { path, type }] of files.entries()) {
    await lendFile(path, join(folder, set, `${index}.aof`));
    lines.push(`file ${index}.aof seq ${index + 1} type ${type}\n`);
  }
  await writeFile(join(folder, set, 'own.aof'), '', { mode: 0o600 });
  lines.push(`file own.aof seq ${files.length + 1} type i\n`);
  await writeFile(join(folder, set, `${single}.manifest`), lines.join(''), { mode: 0o600 });
  return [...directives, '--appenddirname', set];
}
