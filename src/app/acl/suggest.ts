import { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Progress } from '../../domain/progress.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { suggestRules, type SuggestedRules } from '../../harden/acl/suggest-rules.ts';
import { usersOfList } from '../../harden/read/read-users.ts';
import { parseClientList } from '../../formats/clients/client-list.ts';
import { ownName } from '../../monitor/collect/slowlog.ts';
import { tryRights } from '../../monitor/rights.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { ownClientId } from '../../redis/connection/own-client-id.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { agentRights } from '../init/agent-rights.ts';

export interface Suggestion extends SuggestedRules {
  instance: string;
  user: string;
  seconds: number;
  /** What gives the user these rights; its password stays. */
  command: string;
}

const pause = 200;

/** Watches a user for a while, and says what it has used. Reads only; no MONITOR. */
export async function suggestAcl(
  connection: RedisConnection,
  instance: InstanceSettings,
  user: string,
  { span, clock, signal, progress }: { span: number; clock: Clock; signal: AbortSignal; progress: Progress },
): Promise<Suggestion> {
  const engine = { ...engineOf(await readInfo(connection)), docker: false };
  await requireSight(connection, engine.version);
  const list = await connection.call('ACL', 'LIST');
  const users = usersOfList(Array.isArray(list) ? list.map(String) : [], engine);
  const found = users.find((each) => each.user.name === user)?.user;
  if (found === undefined)
    throw new AgentError('usage', `there is no user ${JSON.stringify(user)} on ${instance.name}`, {
      hint: `there are ${users.map((each) => each.user.name).join(', ')}`,
    });
  const own = await ownClientId(connection);
  const before = await commandCalls(connection);
  const seen = { byUser: new Set<string>(), others: new Set<string>(), samples: 0 };
  const end = clock.monotonic() + span;
  const seconds = Math.round(span / 1000);
  for (;;) {
    for (const { id, user: who, name, command, flags } of parseClientList(
      String(await connection.call('CLIENT', 'LIST')),
    )) {
      if (id === own || flags.includes('M')) continue;
      if (who !== user) seen.others.add(who);
      // The daemon, where it logs in as the application does.
      else if (name !== ownName && command !== '' && command !== 'NULL')
        seen.byUser.add(command.toLowerCase());
    }
    seen.samples++;
    const left = end - clock.monotonic();
    if (left <= 0) break;
    progress.report({ phase: `watching ${user}`, done: span - left, total: span });
    await clock.sleep(Math.min(pause, left), signal);
  }
  const after = await commandCalls(connection);
  const byAll = new Set(
    [...after].flatMap(([name, calls]) => (calls > (before.get(name) ?? 0) ? [name] : [])),
  );
  if (seen.byUser.size === 0)
    throw new AgentError(
      'failed',
      `nobody was connected as ${user} in ${seconds} s: there is nothing to suggest from`,
      {
        hint: 'run it while the application works, and longer: --from-traffic 10m',
      },
    );
  const suggested = suggestRules(found, { ...seen, byAll, ofAgent: agentCommands(engine.version) }, engine);
  return {
    instance: instance.name,
    user,
    seconds,
    ...suggested,
    // Never the user default, without whom no AOF loads whole: the application gets one of its own.
    command: `ACL SETUSER ${user === 'default' ? "app reset on '#SHA-256-OF-ITS-PASSWORD'" : `${user} resetkeys`} ${suggested.rules.map((rule) => (/^[\w@|+.-]+$/.test(rule) ? rule : `'${rule}'`)).join(' ')}`,
  };
}

/** Names all rights that the look lacks at once. */
async function requireSight(connection: RedisConnection, version: string): Promise<void> {
  const { missing } = await tryRights(connection, version, ['+info', '+acl|list', '+client|list']);
  if (missing.length === 0) return;
  const { name, username = 'default' } = connection.target;
  const commands = missing.map((right) => right.slice(1).replace('|', ' ').toUpperCase());
  throw new AgentError('redis', `instance ${name}: user ${username} may not run ${commands.join(' and ')}`, {
    reason: 'noperm',
    hint: `grant it on the server: ACL SETUSER ${username} ${missing.join(' ')}; or look as an administrator: --username and --password-file`,
  });
}

/** Commands that the daemon, and this look, run by themselves, by every name that statistics have for them. */
function agentCommands(version: string): Set<string> {
  const rights = agentRights(version).flatMap((each) => each.rights);
  const names = rights.flatMap((right) => (right.startsWith('+') ? [right.slice(1)] : []));
  return new Set(names.flatMap((name) => [name, name.split('|')[0] ?? name]));
}

/** Calls by command since the server’s start. */
async function commandCalls(connection: RedisConnection): Promise<Map<string, number>> {
  const info = await readInfo(connection, 'commandstats');
  return new Map(
    [...info].flatMap(([name, value]) =>
      name.startsWith('cmdstat_')
        ? [
            [
              name.slice('cmdstat_'.length).toLowerCase(),
              Number(/calls=(\d+)/.exec(value)?.[1] ?? 0),
            ] as const,
          ]
        : [],
    ),
  );
}
