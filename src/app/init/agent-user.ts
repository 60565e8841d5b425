import { createHash } from 'node:crypto';
import { chmod, chown, lstat, readFile } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { hasReason, messageOf } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import { describeMode } from '../../lib/files/file-owner.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { agentRights } from './agent-rights.ts';
import type { Undo } from './files.ts';
import type { Inspected } from './inspect.ts';
import type { Persistence } from './report.ts';

/** What the server keeps of a password. It has no salt, so it only hides a long random one. */
export function passwordHash(password: Secret): string {
  return createHash('sha256').update(password.reveal()).digest('hex');
}

/** The user's definition for a server of that version. */
export function userRules(hash: string, version: string | undefined): string[] {
  // Channels have rights since 6.2, where a new user still has all of them.
  const channels = version?.startsWith('6.0.') === true ? [] : ['resetchannels'];
  return [
    'on',
    `#${hash}`,
    ...channels,
    '-@all',
    ...new Set(agentRights(version).flatMap(({ rights }) => rights)),
  ];
}

/** What creates the user at once, for redis-cli. */
export function setUserCommand(name: string, rules: string[]): string {
  return ['ACL SETUSER', name, 'reset', ...rules].join(' ');
}

/** The same for redis.conf or an aclfile. */
export function userLine(name: string, rules: string[]): string {
  return ['user', name, ...rules].join(' ');
}

/** The server's own line for a user; undefined where there is none of this name. */
export function existingUser(users: readonly string[], name: string): string | undefined {
  return users.find((line) => line.startsWith(`user ${name} `));
}

/** Creates or replaces the user. False when this connection may not; other failures reject. */
export async function createUser(
  { users, url }: Inspected,
  connection: RedisConnection,
  { name, rules, undo }: { name: string; rules: string[]; undo: Undo },
): Promise<boolean> {
  const before = existingUser(users ?? [], name);
  try {
    await connection.call('ACL', 'SETUSER', name, 'reset', ...rules);
  } catch (error) {
    if (hasReason(error, 'noperm')) return false;
    throw error;
  }
  undo.add(`the ACL user ${name} on ${url}`, async () => {
    if (before === undefined) await connection.call('ACL', 'DELUSER', name);
    else await connection.call('ACL', 'SETUSER', name, 'reset', ...before.split(' ').slice(2));
  });
  return true;
}

/** What decides where users are kept. */
export type Kept = Pick<Inspected, 'aclFile' | 'configFile' | 'local' | 'users'>;

/**
 * Lets the user outlive a restart where that is possible without touching anybody else's definitions: by the
 * server's own aclfile. Else says what to add to which file. Never rejects for the server's sake.
 */
export async function keepUser(
  server: Kept,
  connection: RedisConnection,
  line: string,
): Promise<Persistence> {
  const { aclFile: file } = server;
  if (!file) return whereToKeep(server, line);
  const byHand = (why: string): Persistence => ({ saved: false, file, line, why });
  const before = server.local && file.startsWith('/') ? await lstat(file).catch(() => undefined) : undefined;
  if (before !== undefined) {
    const why = await reasonNotToSave(file, before, server.users ?? []);
    if (why !== undefined) return byHand(why);
  }
  try {
    await connection.call('ACL', 'SAVE');
  } catch (error) {
    return byHand(`the server could not save it: ${messageOf(error)}`);
  }
  const note = before && (await giveModeBack(file, before));
  return { saved: true, file, ...(note === undefined ? {} : { note }) };
}

/**
 * Which file needs the line. A server that finds users in redis.conf beside an aclfile does not start, so where
 * either cannot be seen no file is named.
 */
export function whereToKeep({ aclFile, configFile }: Kept, line: string): Persistence {
  const place = (file: string | null, why: string): Persistence => ({ saved: false, file, line, why });
  if (aclFile === undefined || configFile === undefined)
    return place(null, 'which file its users are in could not be seen');
  if (aclFile !== '') return place(aclFile, 'its users are in an aclfile');
  if (configFile !== '') return place(configFile, 'it has no aclfile');
  return place(null, 'it runs without a configuration file');
}

/** ACL SAVE writes what the server knows over what the file says. */
async function reasonNotToSave(
  file: string,
  stats: Stats,
  users: readonly string[],
): Promise<string | undefined> {
  if (stats.isSymbolicLink()) return 'it is a symbolic link, which ACL SAVE would replace';
  const text = await readFile(file, 'utf8').catch(() => '');
  const unknown = text
    .split('\n')
    .flatMap((line) => /^\s*user\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((name) => existingUser(users, name) === undefined);
  if (unknown.length === 0) return undefined;
  return `it defines ${unknown.join(', ')}, which the server has not loaded and ACL SAVE would drop`;
}

/** ACL SAVE makes a new file, the server's own and as wide as its umask lets it. Resolves with what is left to do. */
async function giveModeBack(file: string, before: Stats): Promise<string | undefined> {
  const after = await lstat(file).catch(() => before);
  try {
    if (after.uid !== before.uid || after.gid !== before.gid) await chown(file, before.uid, before.gid);
    if (after.mode !== before.mode) await chmod(file, before.mode & 0o7777);
    return undefined;
  } catch {
    const wider = (after.mode & ~before.mode & 0o777) !== 0;
    return wider ? `saving made it wider: chmod ${describeMode(before.mode)} ${file}` : undefined;
  }
}
