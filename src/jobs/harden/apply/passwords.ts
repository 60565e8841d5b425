import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../../domain/errors.ts';
import { Secret } from '../../../domain/secret.ts';
import { replaceFile } from '../../../harden/apply/write-file.ts';

/** A password for a new user and where it lies for whoever hands it on. */
export interface MadePassword {
  user: string;
  password: Secret;
  path: string;
}

const folderName = 'passwords';
/** 64 hexadecimal digits; a shorter one somebody has put there is taken too, if nobody could try them all. */
const shortest = 32;

/**
 * Passwords of new users, each in a file that only we may read, below the state folder. One that is there already is used:
 * a run that was cut off goes on with the one that it made, and servers that replicate one another get the same where its
 * file is copied. The folder is held open meanwhile, since that above it may be somebody else's.
 */
export function makePasswords(statePath: string, instance: string, users: readonly string[]): MadePassword[] {
  if (users.length === 0) return [];
  const path = join(statePath, folderName);
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return inFolder(path, (place) =>
    users.map((user) => {
      const shown = passwordPath(statePath, instance, user);
      const held = place(basename(shown));
      const there = readOwn(held, uid, shown);
      if (there !== undefined) return { user, password: there, path: shown };
      const password = new Secret(randomBytes(32).toString('hex'));
      replaceFile(held, Buffer.from(`${password.reveal()}\n`), { mode: 0o600, uid, gid }, undefined);
      return { user, password, path: shown };
    }),
  );
}

/** Where the password of a new user lies. */
export function passwordPath(statePath: string, instance: string, user: string): string {
  return join(statePath, folderName, `${instance}-${fileNameOf(user)}`);
}

/** Those of the users for whom none lies there: what is made for them is ours to remove again. */
export function lackingPasswords(
  statePath: string,
  instance: string,
  users: readonly string[],
): ReadonlySet<string> {
  return new Set(
    users.filter((user) => {
      try {
        lstatSync(passwordPath(statePath, instance, user));
        return false;
      } catch {
        return true;
      }
    }),
  );
}

/** Of users that are gone again. A file that is not there is none to remove. */
export function removePasswords(statePath: string, instance: string, users: readonly string[]): void {
  const path = join(statePath, folderName);
  if (users.length === 0 || !existsSync(path)) return;
  inFolder(path, (place) => {
    for (const user of users)
      rmSync(place(basename(passwordPath(statePath, instance, user))), { force: true });
  });
}

/** Does something in that folder, which is held open and ours alone. */
function inFolder<T>(path: string, work: (place: (name: string) => string) => T): T {
  const folder = openFolder(path);
  try {
    const stats = fstatSync(folder);
    if (stats.uid !== (process.geteuid?.() ?? 0) || (stats.mode & 0o022) !== 0)
      throw new AgentError('refused', `${path} is somebody else’s, or others may write there`, {
        reason: 'passwords',
        hint: 'move it away: it is made anew for whoever runs this',
      });
    return work((name) => `/proc/self/fd/${folder}/${name}`);
  } finally {
    closeSync(folder);
  }
}

/** Whoever owns the state folder may have put a link or a file in its place. */
function openFolder(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw new AgentError('refused', `${path} is no folder of ours: ${messageOf(error)}`, {
      cause: error,
      reason: 'passwords',
      hint: 'move it away: it is made anew for whoever runs this',
    });
  }
}

function readOwn(held: string, uid: number, shown: string): Secret | undefined {
  let file: number;
  try {
    file = openSync(held, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.uid !== uid || (stats.mode & 0o077) !== 0)
      throw new AgentError('refused', `${shown} is not ours alone, so that others may know that password`, {
        reason: 'passwords',
        hint: 'move it away: a new one is made',
      });
    const text = readFileSync(file, 'utf8').trim();
    if (text.length < shortest || /\s/.test(text))
      throw new AgentError(
        'refused',
        `what ${shown} holds is no password of ${shortest} characters and more`,
        {
          reason: 'passwords',
          hint: 'move it away: a new one is made',
        },
      );
    return new Secret(text);
  } finally {
    closeSync(file);
  }
}

function fileNameOf(user: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(user) ? user : `hex-${Buffer.from(user).toString('hex')}`;
}
