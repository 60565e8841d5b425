import { AgentError } from '../../domain/errors.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';

/** What is asked for each user, with arguments that the server finds complete. Nothing of it is run. */
const dryrunMatrix: Readonly<Record<string, readonly string[]>> = {
  'config|set': ['CONFIG', 'SET', 'maxmemory', '0'],
  'config|get': ['CONFIG', 'GET', 'maxmemory'],
  'config|rewrite': ['CONFIG', 'REWRITE'],
  'config|resetstat': ['CONFIG', 'RESETSTAT'],
  'module|load': ['MODULE', 'LOAD', '/x'],
  'module|unload': ['MODULE', 'UNLOAD', 'x'],
  replicaof: ['REPLICAOF', 'NO', 'ONE'],
  slaveof: ['SLAVEOF', 'NO', 'ONE'],
  migrate: ['MIGRATE', '127.0.0.1', '1', 'k', '0', '1'],
  restore: ['RESTORE', 'k', '0', 'v'],
  'acl|setuser': ['ACL', 'SETUSER', 'x'],
  'acl|deluser': ['ACL', 'DELUSER', 'x'],
  'acl|load': ['ACL', 'LOAD'],
  'acl|save': ['ACL', 'SAVE'],
  'acl|list': ['ACL', 'LIST'],
  'acl|getuser': ['ACL', 'GETUSER', 'x'],
  debug: ['DEBUG', 'HELP'],
  monitor: ['MONITOR'],
  'client|kill': ['CLIENT', 'KILL', '127.0.0.1:1'],
  'client|list': ['CLIENT', 'LIST'],
  'client|pause': ['CLIENT', 'PAUSE', '1'],
  sync: ['SYNC'],
  psync: ['PSYNC', '?', '-1'],
  replconf: ['REPLCONF', 'listening-port', '1'],
  save: ['SAVE'],
  bgsave: ['BGSAVE'],
  bgrewriteaof: ['BGREWRITEAOF'],
  shutdown: ['SHUTDOWN'],
  failover: ['FAILOVER'],
  flushall: ['FLUSHALL'],
  flushdb: ['FLUSHDB'],
  swapdb: ['SWAPDB', '0', '1'],
  keys: ['KEYS', '*'],
  sort: ['SORT', 'k'],
  'latency|reset': ['LATENCY', 'RESET'],
  'slowlog|get': ['SLOWLOG', 'GET'],
  'slowlog|reset': ['SLOWLOG', 'RESET'],
  'cluster|reset': ['CLUSTER', 'RESET'],
  'script|kill': ['SCRIPT', 'KILL'],
  'script|load': ['SCRIPT', 'LOAD', 'return 1'],
  eval: ['EVAL', 'return 1', '0'],
  evalsha: ['EVALSHA', 'a'.repeat(40), '0'],
  fcall: ['FCALL', 'f', '0'],
  'function|load': ['FUNCTION', 'LOAD', 'x'],
};

/** A fleet of users has each of them asked; a thousand times forty is enough. */
const mostUsers = 200;

/** What each user may run, by the server's own judgement (7.0+). */
export async function readDryrun(
  connection: RedisConnection,
  users: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, boolean>>> {
  const asked = users.slice(0, mostUsers);
  const names = Object.keys(dryrunMatrix);
  const replies = await connection.pipeline(
    asked.flatMap((user) => names.map((name) => ['ACL', 'DRYRUN', user, ...(dryrunMatrix[name] ?? [])])),
  );
  const found = new Map<string, Map<string, boolean>>();
  for (const [at, reply] of replies.entries()) {
    if (reply instanceof AgentError && (reply.reason === 'noperm' || reply.reason === 'unknown-command'))
      throw reply;
    const user = asked[Math.floor(at / names.length)] ?? '';
    const command = names[at % names.length] ?? '';
    // An unknown command, or other arguments than it takes: no answer.
    if (reply instanceof AgentError) continue;
    const rights = found.get(user) ?? new Map<string, boolean>();
    found.set(user, rights.set(command, !/permissions to run/.test(String(reply))));
  }
  return found;
}
