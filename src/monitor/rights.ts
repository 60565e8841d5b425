import type { RedisConnection } from '../redis/connection/connect.ts';
import { AgentError } from '../domain/errors.ts';
import { collectors } from './collect/index.ts';
import type { Collector } from './collect/parts/collector.ts';

/** Besides what the collectors ask: a name for CLIENT LIST. */
const beside = ['+ping', '+client|setname'];

/**
 * What watching needs, as in ACL SETUSER: what stands beside each collector. Servers from 7.0 on refuse a rule about a
 * command that they do not know, so a server before 7.0 and one that is no Sentinel are not given what they have not.
 */
export function watchRights(version: string | undefined, sentinel = false): string[] {
  const rights = collectors
    .filter((collector) => isOffered(collector, version, sentinel))
    .flatMap((collector) => collector.rights);
  return [...new Set([...beside, ...keyRights(version), ...rights])];
}

/**
 * Queues are keys. Those of Bull and BullMQ lie below these, unless their application says otherwise; the agent reads
 * no others that it was not given. Before 7.0 keys are not told apart by what is done with them: the commands above only read.
 */
export function keyRights(version: string | undefined, patterns = ['bull:*', '{bull}:*']): string[] {
  const read = version !== undefined && Number.parseInt(version, 10) >= 7 ? '%R' : '';
  return patterns.map((pattern) => `${read}~${pattern}`);
}

/** Of those of `watchRights` what only the queues' collector asks for. */
export function queueRights(version: string | undefined): string[] {
  const others = collectors.filter(({ name }) => name !== 'queues').flatMap(({ rights }) => rights);
  const queues = collectors.filter(({ name }) => name === 'queues').flatMap(({ rights }) => rights);
  return [...keyRights(version), ...queues.filter((right) => !others.includes(right))];
}

function isOffered({ name }: Collector, version: string | undefined, sentinel: boolean): boolean {
  if (name === 'sentinel') return sentinel;
  if (name !== 'latency') return true;
  return version === undefined || Number.parseInt(version, 10) >= 7;
}

/** A key that nobody has. */
const probed = 'bull:redis-agent-check:none';

/** A harmless form of each command: it is refused for want of the right, or answered. */
const probes: Readonly<Record<string, (string | number)[]>> = {
  '+ping': ['PING'],
  '+info': ['INFO', 'server'],
  '+time': ['TIME'],
  '+config|get': ['CONFIG', 'GET', 'maxclients'],
  '+slowlog|get': ['SLOWLOG', 'GET', 1],
  '+client|setname': ['CLIENT', 'SETNAME', 'redis-agent'],
  '+client|list': ['CLIENT', 'LIST'],
  '+client|id': ['CLIENT', 'ID'],
  '+latency|histogram': ['LATENCY', 'HISTOGRAM', 'ping'],
  '+llen': ['LLEN', probed],
  '+lindex': ['LINDEX', probed, 0],
  '+lrange': ['LRANGE', probed, 0, 0],
  '+zcard': ['ZCARD', probed],
  '+zcount': ['ZCOUNT', probed, 0, 0],
  '+zrange': ['ZRANGE', probed, 0, 0],
  '+hget': ['HGET', probed, 'field'],
  '+hmget': ['HMGET', probed, 'field'],
  '+get': ['GET', probed],
  '+exists': ['EXISTS', probed],
  '+pttl': ['PTTL', probed],
  '+xlen': ['XLEN', probed],
  '+xinfo|groups': ['XINFO', 'GROUPS', probed],
  '+xpending': ['XPENDING', probed, 'group'],
  '+memory|usage': ['MEMORY', 'USAGE', probed],
  '+select': ['SELECT', 0],
  '+scan': ['SCAN', 0, 'MATCH', probed, 'COUNT', 1],
  // What backups and the audit need besides. A BGSAVE with an argument that it does not know saves nothing.
  '+bgsave': ['BGSAVE', 'NOT-AN-OPTION'],
  '+acl|list': ['ACL', 'LIST'],
  '+acl|log': ['ACL', 'LOG', 1],
  '+acl|dryrun': ['ACL', 'DRYRUN', 'default', 'PING'],
  '+module|list': ['MODULE', 'LIST'],
};

export interface RightsFound {
  missing: string[];
  /** The server does not have these commands, or has them under another name. */
  unknown: string[];
}

/** Tries each right that watching this server needs. A refusal leaves an entry in the server's ACL LOG. */
export function tryWatchRights(
  connection: RedisConnection,
  version: string | undefined,
): Promise<RightsFound> {
  return tryRights(connection, version, watchRights(version));
}

/** Tries those of these rights that can be tried harmlessly. */
export async function tryRights(
  connection: RedisConnection,
  version: string | undefined,
  wanted: readonly string[],
): Promise<RightsFound> {
  const rights = wanted.filter((right) => probes[right] !== undefined);
  const replies = await connection.pipeline(rights.map((right) => probes[right] ?? ['PING']));
  const reasonOf = (index: number): string | undefined => {
    const reply = replies[index];
    return reply instanceof AgentError ? (reply.reason ?? 'reply') : undefined;
  };
  const lacksKeys = (index: number): boolean => {
    const reply = replies[index];
    return reply instanceof AgentError && reply.message.includes('may not use the keys');
  };
  const missing = rights.map((right, index) =>
    reasonOf(index) !== 'noperm' ? [] : lacksKeys(index) ? keyRights(version) : [right],
  );
  return {
    missing: [...new Set(missing.flat())],
    unknown: rights.filter((_, index) => reasonOf(index) === 'unknown-command'),
  };
}
