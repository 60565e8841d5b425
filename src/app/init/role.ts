import type { Role } from '../../domain/settings/monitor.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { readConfig } from '../../redis/server.ts';
import { unlessDenied } from './unless-denied.ts';

/** What tells what a server is used for. Undefined: not to be seen. */
export interface UseFacts {
  policy: string | undefined;
  appendonly: string | undefined;
  /** Names of some of its keys. */
  keys: readonly string[];
}

/** `why` can stand in a comment of the configuration: it names nothing that others wrote but plain words. */
export interface GuessedRole {
  role: Role;
  why: string;
}

const queueKey = /^\{?bull\}?:([\w.-]{1,40}):(?:meta|id|wait|active|events|completed|failed)$/;
const sessionKey = /^(?:sess|session|sessions|spring:session|PHPREDIS_SESSION)[:_]/;
/** Rounds of SCAN, each of about a thousand names: a look, not a count. */
const rounds = 5;

/** Undefined where nothing tells; then nobody should be told a reason that is none. */
export function guessRole({ policy, appendonly, keys }: UseFacts): GuessedRole | undefined {
  const queues = [...new Set(keys.flatMap((key) => queueKey.exec(key)?.[1] ?? []))].toSorted();
  if (queues.length > 0) {
    const named = queues.slice(0, 3).join(', ');
    return { role: 'queue', why: `it has queues of BullMQ: ${named}${queues.length > 3 ? ', …' : ''}` };
  }
  // Whatever answers there, it goes into a file of root's.
  if (policy !== undefined && /^allkeys-[a-z]{1,20}$/.test(policy))
    return { role: 'cache', why: `maxmemory-policy ${policy} lets it drop any key` };
  const sessions = keys.filter((key) => sessionKey.test(key)).length;
  if (sessions * 2 > keys.length)
    return { role: 'session', why: `${sessions} of ${keys.length} keys that were looked at are sessions` };
  if (appendonly === 'yes') return { role: 'durable', why: 'its append only file is on' };
  return undefined;
}

/** Names of keys and two settings; changes nothing, reads no value. */
export async function lookAtUse(connection: RedisConnection): Promise<UseFacts> {
  const [policy, appendonly] = await Promise.all(
    ['maxmemory-policy', 'appendonly'].map((name) => unlessDenied(() => readConfig(connection, name))),
  );
  const keys: string[] = [];
  let cursor = '0';
  for (let round = 0; round < rounds; round++) {
    const at = cursor;
    const reply = await unlessDenied(() => connection.call('SCAN', at, 'COUNT', '1000'));
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) break;
    cursor = String(reply[0]);
    keys.push(...reply[1].map(String));
    if (cursor === '0') break;
  }
  return { policy: knownPolicy(policy), appendonly, keys };
}

/** It goes into a comment. */
function knownPolicy(policy: string | undefined): string | undefined {
  return policy !== undefined && /^[a-z-]{1,30}$/.test(policy) ? policy : undefined;
}
