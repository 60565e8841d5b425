import { readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { CheckedAof } from '../../backup/aof/check-set.ts';
import { copyAofSet, type AofPart } from '../../backup/aof/copy-set.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { currentUser } from '../../lib/files/file-owner.ts';
import type { AofReport } from './examine-aof.ts';
import { makeFolders } from '../../lib/files/make-folders.ts';

/**
 * Writes what a set holds up to its first fault into a new folder: a past state of the data, whole by itself. Files
 * behind the fault are dropped, since their commands go on from what is lost. The original is never touched, and nothing
 * is left of a folder that could not be filled.
 */
export async function writeFixedAof(
  { set, scanned }: CheckedAof,
  target: string,
  signal: AbortSignal,
): Promise<NonNullable<AofReport['fixed']>> {
  const folder = resolve(target);
  const fault = scanned.findIndex(({ scan }) => scan.end.state !== 'ok');
  const last = fault === -1 ? undefined : scanned[fault];
  if (
    set === undefined ||
    set.missing.length > 0 ||
    last?.scan.end.state === 'unknown' ||
    last?.scan.sound === 0
  )
    throw new AgentError('refused', 'nothing of this AOF can be kept by cutting', {
      hint: 'restore a backup; while the server runs, BGREWRITEAOF makes a whole set anew',
    });
  const kept = fault === -1 ? scanned : scanned.slice(0, fault + 1);
  const parts: AofPart[] = kept.map(({ file, scan }) => ({ file, bytes: scan.sound }));
  await makeEmptyFolder(folder);
  try {
    await requireRoom(folder, parts);
    await copyAofSet(set, parts, folder, signal);
  } catch (error) {
    await empty(folder);
    throw error instanceof AgentError || systemCode(error) === undefined ? error : notWritten(folder, error);
  }
  return {
    folder,
    files: parts.length,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    dropped: scanned.slice(kept.length).map(({ file }) => file.name),
  };
}

async function makeEmptyFolder(folder: string): Promise<void> {
  let names: string[];
  try {
    makeFolders(dirname(folder), 0o777);
    makeFolders(folder, 0o700);
    names = await readdir(folder);
  } catch (error) {
    throw notWritten(folder, error);
  }
  if (names.length === 0) return;
  throw new AgentError('refused', `${folder} is not empty`, { hint: 'name a new folder with --to' });
}

async function requireRoom(folder: string, parts: readonly AofPart[]): Promise<void> {
  const needed = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new AgentError(
    'failed',
    `${folder} has ${formatBytes(bavail * bsize)} free, and ${formatBytes(needed)} are needed`,
    {
      reason: 'full',
      hint: 'name a folder on another file system with --to',
    },
  );
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
}

function notWritten(folder: string, cause: unknown): AgentError {
  // Root was given up for the owner of the state, which surprises whoever came with sudo.
  const user = currentUser();
  return new AgentError('failed', `cannot write to ${folder} as ${user}: ${messageOf(cause)}`, {
    cause,
    hint: `name a folder with --to that ${user} may write to, with room in it`,
  });
}
