import { AgentError } from '../../../domain/errors.ts';
import { nameFor, normalValue } from '../../../formats/conf/values.ts';
import type { Change } from '../../../harden/changes.ts';
import { isReplaced } from '../../../redis/boot-conf.ts';
import { resolveConf, type ResolvedConf } from '../../../redis/resolve-conf.ts';
import { printable } from '../../../lib/printable.ts';
import { distrustProgram } from '../../../lib/distrust-path.ts';
import type { JobContext } from '../../job.ts';
import { isDone } from '../../../harden/acl/merge-plans.ts';
import { usersOfList } from '../../../harden/read/read-users.ts';
import type { AclSettings, PlannedUsers } from '../acl.ts';
import type { PlannedFile } from '../plan.ts';
import type { InspectedServer } from '../inspect-server.ts';

/** The configuration as the files would leave it. */
function candidateConf(
  { file, seen, service }: InspectedServer,
  planned: readonly PlannedFile[],
): ResolvedConf {
  return resolveConf(file, {
    reader: seen.reader,
    options: service?.arguments?.directives,
    sources: new Map(planned.map(({ path, bytesAfter }) => [path, bytesAfter])),
  });
}

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
  const { engine, program } = inspected;
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
  const { entries } = candidateConf(inspected, planned);
  const found = await inspected.files.boot({
    program: { path: program, argv0: `${engine.engine}-server` },
    entries,
    aclfile: aclText(inspected, entries.findLast(({ name }) => name === 'aclfile')?.values[0], {
      planned,
      changed: users.aclfile?.path,
    }),
    tls: changes.some(({ directive }) => directive.startsWith('tls-')),
    directory: context.scratch,
    clock: context.clock,
    signal: context.signal,
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
  if (restart) requireKept(found.users, inspected);
}

/** A restart forgets users that were made at run time and stand in no file: whoever logs in as one is locked out. */
function requireKept(listed: readonly string[], { users = [], engine }: InspectedServer): void {
  const after = new Set(usersOfList(listed, engine).map(({ user }) => user.name));
  const lost = usersOfList(users, engine).filter(({ user }) => !after.has(user.name));
  if (lost.length === 0) return;
  const names = lost.map(({ user }) => printable(user.name)).join(', ');
  throw new AgentError(
    'refused',
    `the server is not restarted: ${lost.length === 1 ? 'this user stands' : 'these users stand'} in no file, and would be gone: ${names}`,
    {
      reason: 'restart',
      hint: 'put the lines that ACL LIST shows into its files, or the users into harden.acl; without --restart the rest is applied',
    },
  );
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

function aclText(
  { seen }: InspectedServer,
  path: string | undefined,
  { planned, changed }: { planned: readonly PlannedFile[]; changed: string | undefined },
): string | undefined {
  if (path === undefined || path === '') return undefined;
  const after = planned.find((file) => file.path === changed)?.bytesAfter;
  if (after !== undefined) return Buffer.from(after).toString('latin1');
  return Buffer.from(seen.reader.read(path, 8 * 1024 * 1024)).toString('latin1');
}
