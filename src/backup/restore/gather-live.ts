import { realpath, statfs } from 'node:fs/promises';
import { AgentError } from '../../domain/errors.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import { selinuxType } from '../../lib/process/selinux.ts';
import { readCgroupMemory, readHostMemory } from '../../lib/memory/host-memory.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { engineOf, readConfig, readInfo } from '../../redis/server.ts';
import { lookAhead, type GatherOptions } from './gather-facts.ts';
import { placeOf } from './judge-guards.ts';
import type { LiveFacts } from './judge-live.ts';
import { nextPersistence } from './plan-restore.ts';

export interface LiveServerFacts extends Pick<
  LiveFacts,
  'server' | 'missing' | 'memory' | 'disk' | 'nextStart'
> {
  info: Info;
  /** Whose process it is. */
  user: number | undefined;
  /** How it is started, for people; undefined when nobody knows. */
  service: string | undefined;
  /** Path of its dump.rdb. */
  dump: string;
  /** Settings that a live restore may change, as they are. */
  settings: Record<(typeof changed)[number], string> & { 'tls-replication'?: 'yes' };
}

const changed = ['repl-diskless-load', 'replica-read-only'] as const;

/** Asks the server what judgeLive looks at. Changes nothing. */
export async function gatherLive(
  connection: RedisConnection,
  options: Pick<GatherOptions, 'instance' | 'host'>,
): Promise<LiveServerFacts> {
  const info = await readInfo(connection);
  const sight = await options.host.look(info);
  const config = (name: string): Promise<string> => readConfig(connection, name);
  const [diskless, readOnly] = await Promise.all(changed.map(config));
  // Unknown to a server that was built without TLS.
  const tls = (await config('tls-replication').catch(() => 'no')) === 'yes';
  const settings: LiveServerFacts['settings'] = {
    'repl-diskless-load': diskless ?? '',
    'replica-read-only': readOnly ?? '',
    ...(tls ? { 'tls-replication': 'yes' } : {}),
  };
  const { missing, sentinels } = await probe(connection, settings);
  const ahead = await lookAhead(connection, info, { ...options, sight });
  const { dir, dbfilename } = ahead.now;
  const next = nextPersistence({ running: { persistence: ahead.now }, conf: ahead.conf }) ?? ahead.now;
  return {
    info,
    service: ahead.service,
    dump: `${dir}/${dbfilename}`,
    nextStart: {
      now: placeOf(ahead.now),
      // A server tells where it is without symbolic links.
      next: placeOf({ ...next, dir: await realpath(next.dir).catch(() => next.dir) }),
      problem: ahead.problem,
      master: ahead.conf?.replicaof,
      databases: ahead.conf?.databases,
    },
    user: sight.owner?.uid,
    settings,
    missing,
    memory: sight.pid === undefined ? undefined : await freeMemory(sight.pid),
    disk: await freeDisk(dir),
    server: {
      ...engineOf(info),
      role: info.get('role') === 'slave' ? 'replica' : 'master',
      loading: info.get('loading') === '1' || info.get('async_loading') === '1',
      cluster: info.get('cluster_enabled') === '1',
      failingOver: (info.get('master_failover_state') ?? 'no-failover') !== 'no-failover',
      databases: Number(await config('databases')),
      usedMemory: infoInteger(info, 'used_memory') ?? 0,
      maxmemory: infoInteger(info, 'maxmemory') ?? 0,
      policy: info.get('maxmemory_policy') ?? 'noeviction',
      minReplicas: Number(await config('min-replicas-to-write')),
      replicas: infoInteger(info, 'connected_slaves') ?? 0,
      sentinels,
      user: connection.target.username ?? 'default',
      here: sight.pid !== undefined,
      confined: sight.pid === undefined ? undefined : await selinuxType(sight.pid),
    },
  };
}

/**
 * Commands that a live restore needs besides those of a backup, in a form that changes nothing: rights are checked
 * before arguments are. A port that is no number is refused; a setting is set to what it is.
 */
async function probe(
  connection: RedisConnection,
  settings: LiveServerFacts['settings'],
): Promise<{ missing: LiveFacts['missing']; sentinels: number }> {
  const probes = [
    { rule: '+replicaof', command: ['REPLICAOF', '127.0.0.1', 'none'] },
    { rule: '+config|set', command: ['CONFIG', 'SET', changed[0], settings[changed[0]]] },
    { rule: '+pubsub|numsub', command: ['PUBSUB', 'NUMSUB', '__sentinel__:hello'] },
    { rule: '+bgsave', command: ['BGSAVE', 'NONE'] },
  ];
  const replies = await connection.pipeline(probes.map(({ command }) => command));
  const missing: LiveFacts['missing'] = { rules: [], commands: [] };
  replies.forEach((reply, index) => {
    const { rule = '', command: [name = ''] = [] } = probes[index] ?? {};
    if (!(reply instanceof AgentError)) return;
    if (reply.reason === 'noperm') missing.rules.push(rule);
    else if (reply.reason === 'unknown-command') missing.commands.push(name);
    else if (reply.reason === 'closed' || reply.reason === 'timeout') throw reply;
  });
  const subscribers = replies[2];
  return { missing, sentinels: Array.isArray(subscribers) ? Number(subscribers[1]) : 0 };
}

async function freeMemory(pid: number): Promise<number | undefined> {
  const [host, group] = await Promise.all([readHostMemory().catch(() => undefined), readCgroupMemory(pid)]);
  const limits = [host?.available, group?.free].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

async function freeDisk(folder: string): Promise<LiveFacts['disk']> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return { folder, free: bavail * bsize };
  } catch {
    return undefined;
  }
}
