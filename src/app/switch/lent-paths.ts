import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import { actAs } from '../../lib/process/act-as.ts';
import type { LentFile } from '../../lib/files/lent-file.ts';

/** What root has opened for a mind. */
export interface LentPaths {
  files: LentFile[];
  /** Those of the paths that are folders; their files are among `files`. */
  folders: string[];
}

/** An append only file has a few files; a folder with many more is something else. */
const mostFiles = 256;

/** O_NONBLOCK: a pipe must not hang us. */
const careful = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens the regular files at paths that a person has named, and those in the folders among them. What cannot be opened is
 * left out: who works is told so by the system. Throws an AgentError `usage` for a folder of too many.
 */
export function openPaths(paths: readonly string[]): LentPaths {
  const lent: LentPaths = { files: [], folders: [] };
  for (const path of paths) {
    const descriptor = open(path, careful);
    if (descriptor === undefined) continue;
    const stats = fstatSync(descriptor);
    if (stats.isFile()) lent.files.push({ path, descriptor });
    else {
      try {
        if (stats.isDirectory()) lendFolder(lent, path, descriptor);
      } finally {
        closeSync(descriptor);
      }
    }
  }
  return lent;
}

function lendFolder({ files, folders }: LentPaths, path: string, folder: number): void {
  const place = `/proc/self/fd/${folder}`;
  const names = readdirSync(place);
  if (names.length > mostFiles)
    throw new AgentError('usage', `${path} holds ${names.length} files: that is no append only file`, {
      hint: 'name the folder that the server has it in (appenddirname)',
    });
  folders.push(path);
  for (const name of names) {
    lend(files, join(path, name), openIn(folder, join(place, name)));
    // A server before 7.0 had the one file beside that folder, and an upgrade that was cut off has left it there.
    const [, before] = /^(.+)\.manifest$/.exec(name) ?? [];
    if (before !== undefined)
      lend(files, join(dirname(path), before), openIn(folder, `${place}/../${before}`));
  }
  if (names.length === 0)
    lend(files, join(dirname(path), 'appendonly.aof'), openIn(folder, `${place}/../appendonly.aof`));
}

/** With no more rights than who may put things there: a link of his leads no further than he could go himself. */
function openIn(folder: number, path: string): number | undefined {
  const { uid, gid } = fstatSync(folder);
  return actAs({ uid, gid }, () => open(path, careful | constants.O_NOFOLLOW));
}

function lend(files: LentFile[], path: string, descriptor: number | undefined): void {
  if (descriptor === undefined) return;
  if (fstatSync(descriptor).isFile()) files.push({ path, descriptor });
  else closeSync(descriptor);
}

function open(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch {
    return undefined;
  }
}
