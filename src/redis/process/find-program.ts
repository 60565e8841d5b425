import { constants } from 'node:fs';
import { access, readlink, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Engine } from '../../domain/backup.ts';
import { distrustProgram } from '../../lib/files/distrust-path.ts';
import { packageFolders, type ToolPlaces } from './tools.ts';

/**
 * The program that a running server can be started with again. /proc names the one that runs without links, and by that
 * name Debian's redis-server is a redis-check-rdb. So it is a file of the server's name, where packages and we have
 * programs, beside the running one, or what the configuration names, and the running program where that can be seen. One
 * that others than root or we could have put there is none.
 */
export async function findProgram(
  engine: Engine,
  pid: number | undefined,
  { tools }: Pick<ToolPlaces, 'tools'> = {},
): Promise<string | undefined> {
  const running = await runningProgram(pid);
  const beside = running === undefined ? [] : [dirname(running)];
  const places = [...packageFolders, ...beside, ...pathFolders()].map((folder) =>
    join(folder, `${engine}-server`),
  );
  for (const path of tools?.redis_server === undefined ? places : [tools.redis_server, ...places]) {
    const real = await executable(path);
    if (real === undefined || (running !== undefined && real !== running)) continue;
    if (distrustProgram(path) === undefined) return path;
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
