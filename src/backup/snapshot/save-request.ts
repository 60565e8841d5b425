import type { ClusterPlace, KeyCount, ServerIdentity } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { placeInCluster } from '../../formats/cluster/cluster-nodes.ts';
import { infoInteger, infoKeyspace, parseInfo, type Info } from '../../formats/info/parse-info.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { identityOf, readConfig } from '../../redis/server.ts';
import { subjectOf } from '../../redis/connection/target.ts';

/** What BGSAVE SCHEDULE was answered, and the server as it was in the same instant. */
export interface SaveRequest {
  /**
   * started: the child was forked right now · scheduled: it will be when another kind of child has ended · busy: a
   * child holds the slot, a save that is older than this request or the feed of a diskless replica.
   */
  answer: 'started' | 'scheduled' | 'busy';
  /** The server's clock, milliseconds. */
  requestedAt: number;
  info: Info;
  server: ServerIdentity;
  keyspace: Record<string, KeyCount>;
  /** Of a node of a cluster, where it may be asked. */
  cluster: ClusterPlace | undefined;
}

/** Asks for a save. One write, so that nothing runs between the counts and the fork: they are exact if it started. */
export async function requestSave(
  connection: RedisConnection,
  { ofCluster }: { ofCluster: boolean },
): Promise<SaveRequest> {
  const [time, text, ...rest] = await connection.pipeline([
    ['TIME'],
    ['INFO'],
    ...(ofCluster ? [['CLUSTER', 'NODES']] : []),
    ['BGSAVE', 'SCHEDULE'],
  ]);
  const answer = rest.at(-1);
  if (time instanceof AgentError) throw time;
  if (text instanceof AgentError) throw text;
  if (!Array.isArray(time)) throw new AgentError('redis', `${subjectOf(connection.target)}TIME gave no time`);
  const requestedAt = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000);
  const info = parseInfo(String(text));
  return {
    answer: answerOf(connection.target.name, answer),
    requestedAt,
    info,
    server: identityOf(info, requestedAt),
    keyspace: infoKeyspace(info),
    // The user may not ask: then it is not known.
    cluster: ofCluster && typeof rest[0] === 'string' ? placeInCluster(rest[0]) : undefined,
  };
}

function answerOf(instance: string, answer: unknown): SaveRequest['answer'] {
  if (answer instanceof AgentError) {
    if (/already in progress/i.test(answer.message)) return 'busy';
    // A reply without any text is all that rdb.c gives when fork() failed.
    if (answer.message.endsWith(' ERR'))
      throw new AgentError('failed', `instance ${instance}: the server could not fork a child to save`, {
        cause: answer,
        reason: 'fork',
        hint: 'see the server’s log; memory is the usual cause: free some, or set vm.overcommit_memory = 1',
      });
    throw answer;
  }
  if (/started/i.test(String(answer))) return 'started';
  if (/scheduled/i.test(String(answer))) return 'scheduled';
  throw new AgentError('failed', `instance ${instance}: BGSAVE was answered ${String(answer)}`);
}

/** An RDB child is running: a save, or the feed of a diskless replica, which writes no file. */
export function isSaving(info: Info): boolean {
  return info.get('rdb_bgsave_in_progress') === '1';
}

/** A child of another kind is running, which a scheduled save waits for. */
export function hasOtherChild(info: Info): boolean {
  return info.get('aof_rewrite_in_progress') === '1' || info.get('module_fork_in_progress') === '1';
}

/** Share of the keys written so far, 0..1 (fields of 6.2+). */
export function savedFraction(info: Info): { fraction?: number } {
  const total = infoInteger(info, 'current_save_keys_total') ?? 0;
  const done = infoInteger(info, 'current_save_keys_processed') ?? 0;
  return total > 0 ? { fraction: Math.min(1, done / total) } : {};
}

/**
 * Differs between two looks if a child was forked or a save ended between them. `total_forks` alone would do, but
 * there is none before 6.2; there the duration of the last fork in microseconds stands for it.
 */
export function forkMark(info: Info): string {
  const fields = ['total_forks', 'latest_fork_usec', 'rdb_last_save_time', 'rdb_last_bgsave_time_sec'];
  return fields.map((field) => info.get(field) ?? '').join(' ');
}

/** When the server last finished a dump, in seconds of its own clock. */
export function lastSaveSeconds(info: Info): number {
  return infoInteger(info, 'rdb_last_save_time') ?? 0;
}

/** Does a save that fails stop writes? Only a server with a save point does that. */
export async function blocksWrites(connection: RedisConnection): Promise<boolean> {
  const [stop, points] = await Promise.all([
    readConfig(connection, 'stop-writes-on-bgsave-error'),
    readConfig(connection, 'save'),
  ]);
  return stop === 'yes' && points !== '';
}

export function lastSaveFailed(info: Info): boolean {
  return info.get('rdb_last_bgsave_status') === 'err';
}
