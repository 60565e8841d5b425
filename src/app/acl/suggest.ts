import { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Progress } from '../../domain/progress.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { suggestRules, type SuggestedRules } from '../../harden/acl/suggest-rules.ts';
import { usersOfList } from '../../harden/read/read-users.ts';
import { parseClientList } from '../../harden/rotate/client-list.ts';
import type { RedisConnection } from '../../redis/connect.ts';
import { engineOf, readInfo } from '../../redis/server.ts';

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
  const list = await connection.call('ACL', 'LIST');
  const users = usersOfList(Array.isArray(list) ? list.map(String) : [], engine);
  const found = users.find((each) => each.user.name === user)?.user;
  if (found === undefined)
    throw new AgentError('usage', `there is no user ${JSON.stringify(user)} on ${instance.name}`, {
      hint: `there are ${users.map((each) => each.user.name).join(', ')}`,
    });
  const own = String(await connection.call('CLIENT', 'ID'));
  const before = await commandCalls(connection);
  const seen = { byUser: new Set<string>(), others: new Set<string>(), samples: 0 };
  const end = clock.monotonic() + span;
  const seconds = Math.round(span / 1000);
  for (;;) {
    for (const { id, user: who, command, flags } of parseClientList(
      String(await connection.call('CLIENT', 'LIST')),
    )) {
      if (String(id) === own || flags.includes('M')) continue;
      if (who !== user) seen.others.add(who);
      else if (command !== '' && command !== 'NULL') seen.byUser.add(command.toLowerCase());
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
  const ours = new Set(['client|list', 'client', 'info', 'acl|list', 'acl', 'client|id', 'ping']);
  const suggested = suggestRules(found, { ...seen, byAll, own: ours }, engine);
  if (seen.byUser.size === 0)
    throw new AgentError(
      'failed',
      `nobody was connected as ${user} in ${seconds} s: there is nothing to suggest from`,
      {
        hint: 'run it while the application works, and longer: --from-traffic 10m',
      },
    );
  return {
    instance: instance.name,
    user,
    seconds,
    ...suggested,
    // Never the user default, without whom no AOF loads whole: the application gets one of its own.
    command: `ACL SETUSER ${user === 'default' ? "app reset on '#SHA-256-OF-ITS-PASSWORD'" : `${user} resetkeys`} ${suggested.rules.map((rule) => (/^[\w@|+.-]+$/.test(rule) ? rule : `'${rule}'`)).join(' ')}`,
  };
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
