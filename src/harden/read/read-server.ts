import { AgentError, messageOf } from '../../domain/errors.ts';
import { atLeastVersion, type EngineVersion } from '../../formats/conf/engine.ts';
import { parseInfo } from '../../formats/info/parse-info.ts';
import { aclLogCommand, readAclLog } from '../../redis/acl-log.ts';
import type { RedisConnection, Reply } from '../../redis/connection/connect.ts';
import { seen, type Seen, type ServerFacts, type UserFacts } from '../facts.ts';
import { readDryrun } from './read-dryrun.ts';
import { usersOfList } from './read-users.ts';

/** Values that are secrets: only whether there is one is kept. */
const secrets = new Set([
  'requirepass',
  'masterauth',
  'primaryauth',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
]);

type Asked = Omit<ServerFacts, 'unauthenticated' | 'certificate' | 'peers'>;

/** Everything that the server itself tells, over one connection: reads only. */
export async function readServer(
  connection: RedisConnection,
  username: string | undefined,
): Promise<{ facts: Asked; engine: EngineVersion }> {
  const who = username ?? 'default';
  const ask = async (right: string, command: string, ...args: string[]): Promise<Seen<Reply>> => {
    try {
      return seen(await connection.call(command, ...args));
    } catch (error) {
      return unseen(error, `${command} ${args[0] ?? ''}`.trim(), `ACL SETUSER ${who} +${right}`);
    }
  };
  const info = parseInfo(String(await connection.call('INFO', 'all')));
  const valkey = info.get('valkey_version');
  const engine: EngineVersion = {
    engine: valkey === undefined ? 'redis' : 'valkey',
    version: valkey ?? info.get('redis_version') ?? '',
    docker: false,
  };
  // Nothing could be judged, and every flaw that was ever mended would be told.
  if (!/^\d+\.\d+/.test(engine.version))
    throw new AgentError('redis', 'INFO names no version', {
      reason: 'reply',
      hint: 'something else than Redis answers on this port, or a proxy that hides it: check url',
    });
  const config = mapped(await ask('config|get', 'CONFIG', 'GET', '*'), configOf);
  const users = mapped(await ask('acl|list', 'ACL', 'LIST'), (reply) => usersOfList(texts(reply), engine));
  return {
    engine,
    facts: {
      info,
      config,
      users,
      dryrun: await dryrunOf(connection, engine, users, who),
      modules: mapped(await ask('module|list', 'MODULE', 'LIST'), (reply) =>
        records(reply).flatMap((each) => each.get('name') ?? []),
      ),
      clients: mapped(await ask('client|list', 'CLIENT', 'LIST'), clientsOf),
      aclLog: mapped(await ask('acl|log', ...aclLogCommand), readAclLog),
      cluster:
        info.get('cluster_enabled') === '1'
          ? mapped(await ask('cluster|nodes', 'CLUSTER', 'NODES'), nodesOf)
          : { absent: 'cluster mode is off' },
      watched: mapped(
        await ask('pubsub|numsub', 'PUBSUB', 'NUMSUB', '__sentinel__:hello'),
        (reply) => Number(Array.isArray(reply) ? reply[1] : 0) > 0,
      ),
    },
  };
}

async function dryrunOf(
  connection: RedisConnection,
  engine: EngineVersion,
  users: Seen<UserFacts[]>,
  who: string,
): Promise<ServerFacts['dryrun']> {
  if (users.value === undefined) return users;
  if (engine.engine === 'redis' && !atLeastVersion(engine.version, '7.0'))
    return { absent: 'ACL DRYRUN came with 7.0' };
  try {
    return seen(
      await readDryrun(
        connection,
        users.value.map(({ user }) => user.name),
      ),
    );
  } catch (error) {
    return unseen(error, 'ACL DRYRUN', `ACL SETUSER ${who} +acl|dryrun`);
  }
}

function unseen(error: unknown, what: string, grant: string): { missing: string } {
  const reason = error instanceof AgentError ? error.reason : undefined;
  if (reason === 'noperm') return { missing: `${what} is refused: ${grant}` };
  if (reason === 'unknown-command') return { missing: `${what} is renamed or switched off on this server` };
  if (reason === 'closed' || reason === 'timeout') throw error;
  return { missing: `${what}: ${messageOf(error).slice(0, 120)}` };
}

function mapped<A, B>(from: Seen<A>, make: (value: A) => B): Seen<B> {
  if (from.missing !== undefined) return { missing: from.missing };
  if (from.absent !== undefined) return { absent: from.absent };
  return seen(make(from.value));
}

function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function configOf(reply: Reply): ReadonlyMap<string, string> {
  const words = texts(reply);
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [name = '', value = ''] = [words[at], words[at + 1]];
    found.set(name, secrets.has(name) && value !== '' ? 'set' : value);
  }
  return found;
}

/** Flat lists of names and values, one for each record. */
function records(reply: Reply): Map<string, string>[] {
  if (!Array.isArray(reply)) return [];
  return reply.map((entry) => {
    const words = texts(entry);
    return new Map(words.flatMap((name, at) => (at % 2 === 0 ? [[name, words[at + 1] ?? '']] : [])));
  });
}

function clientsOf(reply: Reply): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of String(reply).split('\n')) {
    const user = / user=(\S+)/.exec(line)?.[1];
    if (user !== undefined) found.set(user, (found.get(user) ?? 0) + 1);
  }
  return found;
}

function nodesOf(reply: Reply): NonNullable<ServerFacts['cluster']['value']> {
  return String(reply)
    .split('\n')
    .flatMap((line) => {
      const [id, address = '', flags = '', master = '-', , , , , ...slots] = line.trim().split(' ');
      if (id === undefined || id === '') return [];
      return [
        {
          id,
          host: address.replace(/:\d+(?:@.*)?$/, ''),
          flags,
          master: master === '-' ? undefined : master,
          slots: slots.length > 0,
        },
      ];
    });
}
