import { constants } from 'node:fs';
import { access, readlink, realpath } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';

/**
 * The program that a running server can be started with again. `told` is INFO's `executable`: the folder in which the
 * server was started and its first word, so that for one that was started by its bare name there is no such file. /proc
 * names the program without links, and by that name Debian's redis-server is a redis-check-rdb. So it is a file of the told
 * name in the told place, beside the running program or on the PATH, and the running program where that can be seen.
 */
export async function findProgram(told: string, pid: number | undefined): Promise<string | undefined> {
  const running = await runningProgram(pid);
  const folders = [dirname(told), ...(running ? [dirname(running)] : []), ...pathFolders()];
  for (const folder of folders) {
    const path = join(folder, basename(told));
    const real = await executable(path);
    if (real !== undefined && (running === undefined || real === running)) return path;
  }
  return undefined;
}

/** Undefined where another user's process hides it. */
async function runningProgram(pid: number | undefined): Promise<string | undefined> {
  if (pid === undefined) return undefined;
  const link = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  // An upgrade has put another file in its place.
  return link?.replace(/ \(deleted\)$/, '');
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
}

/** Its path without links, if it can be run. */
async function executable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return await realpath(path);
  } catch {
    return undefined;
  }
}
