import { AgentError, hasReason, messageOf } from '../../../domain/errors.ts';
import { isDone } from '../../../harden/acl/merge-plans.ts';
import { fromScratch } from '../../../harden/acl/plan-acl.ts';
import { sha256Of } from '../../../harden/apply/fingerprint.ts';
import { unhealthy } from '../../../harden/apply/health.ts';
import type { Journal } from '../../../harden/apply/journal.ts';
import { readFiles } from '../../../harden/read/read-files.ts';
import { usersOfList } from '../../../harden/read/read-users.ts';
import { connectRedis, type RedisConnection } from '../../../redis/connection/connect.ts';
import { engineOf, readInfo } from '../../../redis/server.ts';
import { readOptions, type AclSettings, type PlannedUsers } from '../acl.ts';
import type { PlannedFile } from '../plan.ts';
import { readAclList, type InspectedServer } from '../inspect-server.ts';
import { markOf } from '../user-mark.ts';
import { lackingPasswords, makePasswords, removePasswords, type MadePassword } from './passwords.ts';
import type { HardenRun } from './run.ts';

/** What the way back needs of users, hashes among it: kept beside the bytes of the files. */
export async function keepUsers(
  { journals }: HardenRun,
  { token, users }: Journal,
  inspected: InspectedServer,
): Promise<void> {
  const changed = new Set(users.map(({ user }) => user));
  const lines = (inspected.users ?? []).filter((line) => changed.has(nameOf(line)));
  await journals.keep(token, 'users', Buffer.from(JSON.stringify(lines)));
}

/** Before one is written: whose password is made by this change, and goes with it. One that somebody has put there stays. */
export function claimPasswords({ context }: HardenRun, users: Journal['users']): Journal['users'] {
  const fresh = users.flatMap(({ user, was_there: wasThere }) => (wasThere ? [] : user));
  const lacking = lackingPasswords(context.settings.state.path, context.instance.name, fresh);
  return users.map((each) => ({ ...each, made_password: lacking.has(each.user) }));
}

/** Of users that are gone again nobody needs the password. */
export function dropPasswords({ context }: HardenRun, { users }: Journal): void {
  const made = users.flatMap(({ user, made_password: ours }) => (ours === true ? user : []));
  try {
    removePasswords(context.settings.state.path, context.instance.name, made);
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot remove the passwords of users that are gone');
  }
}

/** Passwords of new users; files and words get their hashes for what has stood there until now. */
export function placePasswords(
  { context }: HardenRun,
  planned: readonly PlannedFile[],
  { work }: PlannedUsers,
): { made: MadePassword[]; planned: PlannedFile[]; words: Map<string, string[]> } {
  const fresh = work.filter(({ placeholder }) => placeholder !== undefined);
  const made = makePasswords(
    context.settings.state.path,
    context.instance.name,
    fresh.map(({ user }) => user),
  );
  const hashes = new Map(
    fresh.map(({ placeholder = '' }, at) => [placeholder, sha256Of(made[at]?.password.reveal() ?? '')]),
  );
  const fill = (text: string): string => {
    let filled = text;
    for (const [placeholder, hash] of hashes) filled = filled.replaceAll(`#${placeholder}`, `#${hash}`);
    return filled;
  };
  return {
    made,
    planned: planned.map((file) => {
      const bytesAfter = Buffer.from(fill(Buffer.from(file.bytesAfter).toString('latin1')), 'latin1');
      return { ...file, bytesAfter, after: sha256Of(bytesAfter) };
    }),
    words: new Map(work.flatMap(({ user, words }) => (words === undefined ? [] : [[user, words.map(fill)]]))),
  };
}

/** One SETUSER after the other, `default` last. Whoever is connected stays so. */
export async function setUsers(
  run: HardenRun,
  { connection }: InspectedServer,
  words: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  for (const [index, [user, rules]] of [...words].entries()) {
    await run.onStep(`users ${index + 1} of ${words.size}`);
    await connection.call('ACL', 'SETUSER', user, ...rules);
  }
}

/** What each of them may now: by that somebody else's change is told from ours. */
export async function markUsers(run: HardenRun, users: Journal['users']): Promise<Journal['users']> {
  if (users.length === 0 || run.lifeline === undefined) return users;
  const marks = await marksOf(run.lifeline);
  return users.map((each) => ({ ...each, after: marks.get(each.user) ?? null }));
}

/** Everybody is what he is to be, in memory and in the files, and new users get in. */
export async function requireUsers(
  run: HardenRun,
  connection: RedisConnection,
  inspected: InspectedServer,
  { work }: PlannedUsers,
  { acl, made }: { acl: AclSettings | undefined; made: readonly MadePassword[] },
): Promise<void> {
  if (acl === undefined || work.length === 0) return;
  const { engine, file } = inspected;
  const options = { engine, wishes: acl.acl, closeDefault: acl.close_default };
  const memory = usersOfList((await readAclList(connection)) ?? [], engine);
  const { reader } = await run.files.look();
  const files = readFiles(file, { ...readOptions(inspected), reader });
  for (const [where, users] of [
    ['in memory', memory],
    ['in its files', files.aclfile?.users ?? files.users],
  ] as const) {
    const why = isDone(users, work, options);
    if (why !== undefined) throw unhealthy(`its users are not what they are to be ${where}: ${why}`);
  }
  for (const { user, password } of made) {
    const login = await connectRedis({ ...connection.target, username: user, password }).catch(
      (error: unknown) => {
        throw unhealthy(`${user} cannot log in: ${messageOf(error)}`);
      },
    );
    try {
      await login.call('PING');
    } catch (error) {
      // A profile without PING is let in all the same.
      if (!hasReason(error, 'noperm')) throw error;
    } finally {
      login.close();
    }
  }
}

/** Before a rollback touches anything: users that somebody has changed since are left alone. */
export async function requireUsersUnedited(connection: RedisConnection, { users }: Journal): Promise<void> {
  const marks = users.length === 0 ? new Map<string, string>() : await marksOf(connection);
  for (const { user, after } of users) {
    if (after === null || marks.get(user) === after) continue;
    throw new AgentError('refused', `the user ${user} was changed by somebody else since`, {
      reason: 'edited',
      hint: 'see ACL LIST; put it right by hand, or as harden apply has made it, and try again',
    });
  }
}

/**
 * Users as they were: new ones are gone, the others have their rules again. Passwords stay as they are now, but for
 * `default`, whose were taken away. May be done a second time.
 */
export async function undoUsers(
  run: HardenRun,
  connection: RedisConnection,
  journal: Journal,
): Promise<void> {
  const { users, undoes, token } = journal;
  if (users.length === 0) return;
  const engine = { ...engineOf(await readInfo(connection)), docker: false };
  const lines = await keptLines(run, undoes ?? token);
  for (const [index, { user, was_there: wasThere }] of users.toReversed().entries()) {
    await run.onStep(`undo-users ${index + 1} of ${users.length}`);
    const words = lines
      .find((line) => nameOf(line) === user)
      ?.split(' ')
      .slice(2);
    if (!wasThere) await connection.call('ACL', 'DELUSER', user);
    else if (words !== undefined && user === 'default')
      await connection.call('ACL', 'SETUSER', user, 'resetpass', ...fromScratch(engine), ...words);
    else if (words !== undefined)
      await connection.call(
        'ACL',
        'SETUSER',
        user,
        ...fromScratch(engine),
        ...words.filter((word) => !/^[>#<!]|^(?:on|off|nopass|resetpass)$/.test(word)),
      );
  }
}

/** As keepUsers has written them; it lies where the server's user may write. */
async function keptLines({ journals }: HardenRun, token: string): Promise<string[]> {
  const lines: unknown = JSON.parse(Buffer.from(await journals.kept(token, 'users')).toString());
  if (Array.isArray(lines) && lines.every((line) => typeof line === 'string')) return lines;
  throw new AgentError('failed', 'what was kept of the users for the way back is not what was written', {
    reason: 'journal',
    hint: 'somebody has changed it: put the users right by hand, see ACL LIST',
  });
}

/** May it change users at all? Without a rule nothing is changed. */
export async function requireUserRight(connection: RedisConnection): Promise<void> {
  await connection.call('ACL', 'SETUSER', 'default');
}

async function marksOf(connection: RedisConnection): Promise<Map<string, string>> {
  const engine = { ...engineOf(await readInfo(connection)), docker: false };
  const users = usersOfList((await readAclList(connection)) ?? [], engine);
  return new Map(users.map(({ user }) => [user.name, markOf(user)]));
}

function nameOf(line: string): string {
  return line.split(' ')[1] ?? '';
}
