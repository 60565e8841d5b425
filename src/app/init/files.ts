import { chmod, chown, link, lstat, mkdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { currentUser } from '../../lib/files/file-owner.ts';
import { writeAtomic } from '../../lib/files/write-atomic.ts';
import type { Owner } from './report.ts';

/** What has been done so far, so that a failure half way can be taken back. */
export class Undo {
  readonly #steps: { what: string; undo: () => Promise<unknown> }[] = [];

  /** `what` is what is left when undoing fails: `the file /etc/…`. */
  add(what: string, undo: () => Promise<unknown>): void {
    this.#steps.push({ what, undo });
  }

  /** Takes everything back, the last step first. Resolves with what is left. */
  async run(): Promise<string[]> {
    const left: string[] = [];
    for (const { what, undo } of this.#steps.splice(0).toReversed()) {
      try {
        await undo();
      } catch (error) {
        left.push(`${what} (${messageOf(error)})`);
      }
    }
    return left;
  }
}

/** Is something there, even a link to nothing? Throws an AgentError `failed` when that cannot be seen. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw notWritten(path, error);
  }
}

export interface PlaceOptions {
  mode: number;
  /** Whose it will be; ours when left out. */
  owner?: Owner | undefined;
  undo: Undo;
}

/**
 * Writes a file, whole or not at all. An older one of this name stays beside it under the first free name of
 * `.bak`, `.bak2` …, with which this resolves.
 */
export async function placeFile(
  path: string,
  content: string,
  { mode, owner, undo }: PlaceOptions,
): Promise<string | undefined> {
  try {
    const old = await keepOld(path);
    if (old === undefined) undo.add(`the file ${path}`, () => rm(path, { force: true }));
    else undo.add(`the old ${path} is ${old}`, () => giveBack(old, path));
    await writeAtomic(path, content, { mode });
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
    return old;
  } catch (error) {
    throw notWritten(path, error);
  }
}

/** A second name for what is there, so that the first one can be replaced in one step. */
async function keepOld(path: string): Promise<string | undefined> {
  for (let number = 1; ; number++) {
    const name = `${path}.bak${number === 1 ? '' : number}`;
    try {
      await link(path, name);
      return name;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Renaming does nothing where both are names of one file still: nothing had been written. */
async function giveBack(old: string, path: string): Promise<void> {
  await rename(old, path);
  await rm(old, { force: true });
}

/** Makes a folder that is missing, and those above it (0755); one that is there stays as it is. */
export async function placeFolder(path: string, { mode, owner, undo }: PlaceOptions): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    if (systemCode(error) !== 'ENOENT') throw notWritten(path, error);
    await placeFolder(dirname(path), { mode: 0o755, undo });
    return await placeFolder(path, { mode, owner, undo });
  }
  undo.add(`the folder ${path}`, () => rmdir(path));
  // Whatever the umask.
  await chmod(path, mode);
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

function notWritten(path: string, cause: unknown): AgentError {
  const code = systemCode(cause);
  const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  const why = denied ? `${currentUser()} may not write there (${code})` : messageOf(cause);
  return new AgentError('failed', `cannot write ${path}: ${why}`, {
    cause,
    reason: denied ? 'denied' : 'write',
    hint: denied
      ? 'run init as root, or name places of your own: --config FILE --state DIR'
      : 'choose other places with --config FILE, --state DIR and --repository DIR',
  });
}

/** The system user of that name in passwd(5). */
export async function findSystemUser(name: string): Promise<Owner | undefined> {
  const table = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, , uid, gid] =
    table
      .split('\n')
      .map((line) => line.split(':'))
      .find(([user]) => user === name) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
