import { counted } from '../../lib/text/counted.ts';
import { AgentError } from '../../domain/errors.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';

/** What a server was like before it was changed. */
export interface Before {
  role: string | undefined;
  linkUp: boolean;
  evicted: number;
  keys: number;
  saveFailed: boolean;
  users: string | undefined;
}

export function beforeOf(info: Info, users: string | undefined): Before {
  return {
    role: info.get('role'),
    linkUp: info.get('master_link_status') === 'up',
    evicted: infoInteger(info, 'evicted_keys') ?? 0,
    keys: keysIn(info),
    saveFailed: info.get('rdb_last_bgsave_status') === 'err',
    users,
  };
}

/** Of all databases. */
export function keysIn(info: Info): number {
  let keys = 0;
  for (const [name, value] of info)
    if (/^db\d+$/.test(name)) keys += Number(/keys=(\d+)/.exec(value)?.[1] ?? 0);
  return keys;
}

/** Why a server is worse than it was; undefined: it is not. `restarted`: its counters began anew. */
export function judgeHealth(
  before: Before,
  now: Before & { info: Info },
  { restarted, mayEvict }: { restarted: boolean; mayEvict: boolean },
): string | undefined {
  if (now.info.get('loading') === '1') return 'it is still loading';
  if (now.role !== before.role) return `it was ${before.role}, and is ${now.role}`;
  if (before.linkUp && !now.linkUp) return 'it has lost its master';
  if (!mayEvict && !restarted && now.evicted > before.evicted)
    return `it has evicted ${counted(now.evicted - before.evicted, 'key')}`;
  // Keys may expire meanwhile; that a tenth of them does is none of it.
  if (restarted && before.keys > 0 && now.keys < before.keys * 0.9)
    return `it held ${counted(before.keys, 'key')}, and holds ${now.keys}`;
  if (now.saveFailed && !before.saveFailed) return 'its snapshot has failed';
  if (now.info.get('aof_enabled') === '1' && now.info.get('aof_last_write_status') === 'err')
    return 'its append only file cannot be written to';
  if (before.users !== undefined && now.users !== undefined && before.users !== now.users)
    return 'its users are others than before';
  return undefined;
}

export function unhealthy(why: string): AgentError {
  return new AgentError('failed', `the server is worse than before: ${why}`, { reason: 'health' });
}
