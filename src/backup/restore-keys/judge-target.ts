import type { Engine, SlotRange } from '../../domain/backup.ts';
import { AgentError, type ReasonOf } from '../../domain/errors.ts';
import { infoInteger, infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { whatTargetReads } from '../../formats/rdb/dump-payload.ts';
import { listpackForm, type ListpackForm } from '../../formats/rdb/listpack-form.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';

/** The server that keys are to be written into, as it describes itself. Sizes in bytes. */
export interface KeyTarget {
  name: string;
  url: string;
  engine: Engine;
  version: string;
  run_id: string | null;
  replication_id: string | null;
  /** Changes with the process, and when a replica becomes the master: another need not have all that this one confirmed. */
  tenure: string | null;
  /** Keys there now, by database. */
  databases: Record<string, number>;
  used_memory: number;
  /** 0: no limit. */
  maxmemory: number;
  maxmemory_policy: string;
  aof: boolean;
  /** Where the target is a cluster: its masters that have slots; the figures are those of all of them. */
  cluster: { nodes: ClusterLane[] } | null;
}

export interface ClusterLane {
  url: string;
  /** As the cluster calls it. */
  address: string;
  node: string;
  slots: SlotRange[];
  tenure: string | null;
}

/** What the target's version can do, where that matters. */
export interface TargetAbilities {
  reads: RdbVersion;
  /** HPEXPIREAT. */
  fieldExpiry: boolean;
  /** XSETID and XGROUP with counters. */
  streamCounters: boolean;
  /** XGROUP CREATECONSUMER. */
  createConsumer: boolean;
  /** SET with PXAT. */
  setWithTime: boolean;
  /** An unknown module's value is an error, and not the end of the server. */
  survivesModules: boolean;
  listpacks: ListpackForm;
}

/** Reads INFO. Throws an AgentError where nothing may or can be written there. */
export function judgeTarget(info: Info, { name, url }: { name: string; url: string }): KeyTarget {
  const refuse = (why: string, hint: string, reason: ReasonOf<'refused'>): AgentError =>
    new AgentError('refused', `${name}: ${why}`, { hint, reason });
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version');
  if (version === undefined)
    throw new AgentError('redis', `${name}: INFO does not tell the server’s version`, {
      reason: 'not-redis',
    });
  if (Number.parseFloat(version) < 5)
    throw refuse(
      `Redis ${version} is too old`,
      'keys can be written into Redis 5.0 and later, and Valkey',
      'old',
    );
  if (info.get('redis_mode') === 'sentinel')
    throw refuse(
      'it is a Sentinel, which holds no keys',
      'name the server it watches: redis-cli -p ITS-PORT SENTINEL GET-MASTER-ADDR-BY-NAME NAME',
      'sentinel',
    );
  if (info.get('role') === 'slave')
    throw refuse('it is a replica, which takes no writes', 'name its master, or promote it first', 'replica');
  if (info.get('loading') === '1')
    throw new AgentError('redis', `${name}: it is still loading its data`, {
      reason: 'loading',
      hint: 'try again when it is done',
    });
  const databases = Object.entries(infoKeyspace(info)).map(
    ([database, { keys }]) => [database, keys] as const,
  );
  return {
    name,
    url,
    engine: valkey === undefined ? 'redis' : 'valkey',
    version,
    run_id: info.get('run_id') ?? null,
    replication_id: info.get('master_replid') ?? null,
    tenure: tenureOf(info) ?? null,
    databases: Object.fromEntries(databases),
    used_memory: infoInteger(info, 'used_memory') ?? 0,
    maxmemory: infoInteger(info, 'maxmemory') ?? 0,
    maxmemory_policy: info.get('maxmemory_policy') ?? 'noeviction',
    aof: info.get('aof_enabled') === '1',
    cluster: null,
  };
}

/** Undefined for a replica. */
export function tenureOf(info: Info): string | undefined {
  if (info.get('role') !== 'master') return undefined;
  const process = info.get('run_id') ?? '';
  // Where it was a replica before, that of its master then.
  const wasReplica = /[^0]/.test(info.get('master_replid2') ?? '0');
  return wasReplica ? `${process} ${info.get('master_replid') ?? ''}` : process;
}

export function abilitiesOf({ engine, version }: KeyTarget): TargetAbilities {
  const number = Number.parseFloat(version);
  const since = (redis: number, valkey = 0): boolean => number >= (engine === 'redis' ? redis : valkey);
  return {
    reads: whatTargetReads(engine, version),
    fieldExpiry: since(7.4, 9),
    streamCounters: since(7),
    createConsumer: since(6.2),
    setWithTime: since(6.2),
    survivesModules: since(7),
    listpacks: listpackForm(engine, version),
  };
}
