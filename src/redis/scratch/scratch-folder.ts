import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, readlink, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import { readForeignSync } from '../../lib/files/foreign-file.ts';
import { isMarkRunning, processMark } from '../../lib/process/process-mark.ts';
import { makeFolders } from '../../lib/files/make-folders.ts';

/** `scratch-<pid>-<start>-…`: the agent's process that owns it, so that one is never cleared that is in use. */
const folderName = /^scratch-(\d+-\d+)-/;
const pidFile = 'server.pid';

/** Bytes that the path of a unix socket has room for, and those of a name in such a folder. */
export const longestSocketPath = 107;
const ownPart = '/scratch-4194304-18446744073709551615-XXXXXX/s'.length;

/** Bytes of a path below which a scratch server's socket has room. */
export const longestScratchFolder = longestSocketPath - ownPart;

/** Makes a private (0700) folder below `directory` that belongs to this process. */
export async function makeScratchFolder(directory: string): Promise<string> {
  makeFolders(directory, 0o700);
  return await mkdtemp(join(resolve(directory), `scratch-${processMark()}-`));
}

/**
 * Notes which process serves from the folder. Synchronous: nothing may come between its start and this. Follows no link:
 * under root the folder is the server's user's.
 */
export function recordServer(folder: string, pid: number): void {
  writeFileSync(join(folder, pidFile), `${pid}\n`, { mode: 0o600, flag: 'wx' });
}

/**
 * Clears what agents that are gone have left below `directory`: their scratch servers (which die with their agent
 * where setpriv is there; elsewhere they live on) and folders. Returns the folders' paths. Folders of running agents
 * and everything else are left alone. A missing directory is no error.
 */
export async function sweepScratch(directory: string): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await list(directory)) {
    const [, mark] = folderName.exec(name) ?? [];
    if (mark === undefined || isMarkRunning(mark)) continue;
    const folder = join(directory, name);
    await endServer(folder);
    await rm(folder, { recursive: true, force: true });
    swept.push(folder);
  }
  return swept;
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function readPid(path: string): string {
  try {
    return readForeignSync(path, 64);
  } catch {
    return '';
  }
}

/** Only a process that works in this very folder can be its server, whatever has become of the number. */
async function endServer(folder: string): Promise<void> {
  const pid = Number(readPid(join(folder, pidFile)));
  if (!(pid > 1)) return;
  const [workingIn, name] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => undefined),
    readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
  ]);
  if (workingIn !== (await realpath(folder)) || !/^(?:redis|valkey)-server\n/.test(name)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended just now.
  }
}
