import { AgentError } from '../../../domain/errors.ts';
import { nameFor, normalValue } from '../../../formats/conf/values.ts';
import type { AclUser } from '../../../formats/acl/user.ts';
import type { Journal } from '../../../harden/apply/journal.ts';
import type { Change } from '../../../harden/changes.ts';
import { isReplaced, type Booted } from '../../../redis/conf/boot-conf.ts';
import { resolveConf } from '../../../redis/conf/resolve-conf.ts';
import { printable } from '../../../lib/text/printable.ts';
import { distrustProgram } from '../../../lib/files/distrust-path.ts';
import type { JobContext } from '../../job.ts';
import { isDone } from '../../../harden/acl/merge-plans.ts';
import { usersOfList } from '../../../harden/read/read-users.ts';
import { readFiles } from '../../../harden/read/read-files.ts';
import { readOptions, type AclSettings, type PlannedUsers } from '../acl.ts';
import type { PlannedFile } from '../plan.ts';
import type { InspectedServer } from '../inspect-server.ts';
import type { HardenRun } from './run.ts';

interface Validated {
  changes: readonly Change[];
  users: PlannedUsers;
  acl: AclSettings | undefined;
  /** The server will start with these files, and know nothing else. */
  restart: boolean;
}

/**
 * Has the server’s own program start with the files as they would be, in a folder of its own; compares what it makes of
 * them with what is meant. Throws where it does not start, or means something else.
 */
export async function validate(
  context: JobContext,
  inspected: InspectedServer,
  planned: readonly PlannedFile[],
  { changes, users, acl, restart }: Validated,
): Promise<void> {
  const { engine } = inspected;
  const found = await bootWith(context, inspected, {
    sources: new Map(planned.map(({ path, bytesAfter }) => [path, bytesAfter])),
    aclfile: planned.find(({ path }) => path === users.aclfile?.path)?.bytesAfter,
    tls: changes.some(({ directive }) => directive.startsWith('tls-')),
  });
  for (const { directive, to } of changes) {
    if (isReplaced(directive)) continue;
    const facts = nameFor(directive, engine)?.facts;
    const value = found.config.get(directive);
    if (facts === undefined || value === undefined || normalValue(facts, directive, value) === to) continue;
    throw new AgentError(
      'refused',
      `the changed files would make ${directive} ${value}, and not ${to}: something in them wins over it`,
      { reason: 'boot', hint: 'nothing was changed; see redis-agent audit, CFG09' },
    );
  }
  requireUsers(found.users, inspected, users, acl);
  const changed = new Set(users.work.map(({ user }) => user));
  if (restart)
    requireKept(
      found.users,
      inspected,
      changed,
      'put the users into harden.acl; without --restart the rest is applied',
    );
}

/** The same before the server is started again with what its files held before that change. */
export async function validateRollback(
  { context, journals }: HardenRun,
  inspected: InspectedServer,
  { token, files, users }: Journal,
): Promise<void> {
  const { place } = inspected.seen;
  const before = new Map<string, Uint8Array>();
  for (const [index, { path }] of files.entries()) before.set(path, await journals.kept(token, index));
  const at = (path: string): Uint8Array | undefined => before.get(place(path).real);
  const aclfile = aclfileOf(inspected);
  const found = await bootWith(context, inspected, {
    sources: new Map(
      inspected.conf.files.flatMap(({ path }) => {
        const bytes = at(path);
        return bytes === undefined ? [] : [[path, bytes] as const];
      }),
    ),
    aclfile: aclfile === undefined ? undefined : at(aclfile),
    tls: false,
  });
  const changed = new Set(users.map(({ user }) => user));
  requireKept(found.users, inspected, changed, 'without --restart the rest is taken back');
}

/** Where it lies: a configuration may name it from the folder that it works in. */
function aclfileOf(inspected: InspectedServer): string | undefined {
  return readFiles(inspected.file, readOptions(inspected)).aclfile?.path;
}

interface Trial {
  /** What files of the configuration would hold; others are as they are. */
  sources: ReadonlyMap<string, Uint8Array>;
  /** The same for the aclfile. */
  aclfile: Uint8Array | undefined;
  tls: boolean;
}

async function bootWith(
  context: JobContext,
  inspected: InspectedServer,
  { sources, aclfile, tls }: Trial,
): Promise<Booted> {
  const { engine, program, file, seen, service, files } = inspected;
  if (program === undefined)
    throw new AgentError(
      'refused',
      'the server’s own program was not found, so that nothing can be tried first',
      {
        reason: 'program',
        hint: 'name it: tools: { redis_server: /usr/bin/redis-server } of the instance',
      },
    );
  const distrust = distrustProgram(program);
  if (distrust !== undefined)
    throw new AgentError('refused', `${program} is not run: ${distrust}`, { reason: 'program' });
  const options = service?.arguments?.directives;
  const { entries } = resolveConf(file, { reader: seen.reader, options, sources });
  const named = entries.findLast(({ name }) => name === 'aclfile')?.values[0] ?? '';
  const path = named === '' || named.startsWith('/') ? named : (aclfileOf(inspected) ?? named);
  const users = path === '' ? undefined : Buffer.from(aclfile ?? seen.reader.read(path, 8 * 1024 * 1024));
  return await files.boot({
    program: { path: program, argv0: `${engine.engine}-server` },
    entries,
    aclfile: users?.toString('latin1'),
    tls,
    directory: context.scratch,
    clock: context.clock,
    signal: context.signal,
  });
}

/**
 * A restart forgets users, and passwords of users, that were made at run time and stand in no file: whoever logs in so is
 * locked out. `changed`: users that are meant to be others afterwards.
 */
function requireKept(
  listed: readonly string[],
  { users = [], engine }: InspectedServer,
  changed: ReadonlySet<string>,
  without: string,
): void {
  const after = new Map(usersOfList(listed, engine).map(({ user }) => [user.name, user]));
  const now = usersOfList(users, engine).flatMap(({ user }) => (changed.has(user.name) ? [] : [user]));
  const refuse = (what: string, names: readonly AclUser[]): void => {
    if (names.length === 0) return;
    throw new AgentError(
      'refused',
      `the server is not restarted: ${what}: ${names.map(({ name }) => printable(name)).join(', ')}`,
      { reason: 'restart', hint: `put the lines that ACL LIST shows into its files; or ${without}` },
    );
  };
  const lost = now.filter(({ name }) => !after.has(name));
  refuse(
    `${lost.length === 1 ? 'this user stands' : 'these users stand'} in no file, and would be gone`,
    lost,
  );
  const others = now.filter(({ name, hashes }) => {
    const user = after.get(name);
    return user?.noPassword === false && [...hashes].some((hash) => !user.hashes.has(hash));
  });
  refuse('a password stands in no file, and would be gone, of', others);
}

/** Do the lines of users mean what they are to mean? */
function requireUsers(
  listed: readonly string[],
  { engine }: InspectedServer,
  { work }: PlannedUsers,
  acl: AclSettings | undefined,
): void {
  if (acl === undefined || work.length === 0) return;
  const options = { engine, wishes: acl.acl, closeDefault: acl.close_default };
  const why = isDone(usersOfList(listed, engine), work, options);
  if (why === undefined) return;
  throw new AgentError('refused', `the changed files would not make users what they are to be: ${why}`, {
    reason: 'boot',
    hint: 'nothing was changed; see redis-agent audit, ACL15',
  });
}
