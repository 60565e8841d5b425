import type { Engine, ServerIdentity } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import { infoInteger, parseInfo, type Info } from '../formats/info/parse-info.ts';
import type { RedisConnection } from './connection/connect.ts';
import { subjectOf } from './connection/target.ts';

/** INFO, parsed. `sections` is for 7.0+ (several at once); older servers take the first form, so pass one or none. */
export async function readInfo(connection: RedisConnection, section?: string): Promise<Info> {
  const reply = await connection.call('INFO', ...(section === undefined ? [] : [section]));
  return parseInfo(String(reply));
}

/** Engine and its own version. Valkey's `redis_version` is a compatibility constant (facts/hardening.md). */
export function engineOf(info: Info): { engine: Engine; version: string } {
  const valkey = info.get('valkey_version');
  if (valkey !== undefined) return { engine: 'valkey', version: valkey };
  return { engine: 'redis', version: info.get('redis_version') ?? 'unknown' };
}

/** `now` is the server's own wall time in milliseconds, so that a clock apart from ours does no harm. */
export function identityOf(info: Info, now: number): ServerIdentity {
  const startedAt = now - (infoInteger(info, 'uptime_in_seconds') ?? 0) * 1000;
  return {
    ...engineOf(info),
    role: info.get('role') === 'slave' ? 'replica' : 'master',
    run_id: info.get('run_id') ?? 'unknown',
    replication_id: info.get('master_replid') ?? 'unknown',
    replication_offset: infoInteger(info, 'master_repl_offset') ?? 0,
    used_memory: infoInteger(info, 'used_memory') ?? 0,
    started_at: new Date(startedAt).toISOString(),
  };
}

/**
 * Where the server writes its RDB now, as this host has it: it can change at run time, so never keep the answer. `named`: what
 * the server calls the folder.
 */
export async function readDumpPath(
  connection: RedisConnection,
): Promise<{ dir: string; file: string; named: string }> {
  const [dir, file] = await Promise.all([
    readConfig(connection, 'dir'),
    readConfig(connection, 'dbfilename'),
  ]);
  // getcwd(2) tells of no folder that was removed under a process.
  if (!dir.startsWith('/'))
    throw new AgentError('failed', `${subjectOf(connection.target)}the server’s data folder is gone`, {
      reason: 'gone',
      hint: 'it works in a folder that was removed, and every save fails: make it again, for the server’s user, and tell it: redis-cli CONFIG SET dir FOLDER',
    });
  return { dir: connection.target.dataDir ?? dir, file, named: dir };
}

/** One directive's running value; an AgentError when the server does not know it. */
export async function readConfig(connection: RedisConnection, directive: string): Promise<string> {
  const reply = await connection.call('CONFIG', 'GET', directive);
  const value = Array.isArray(reply) ? reply[1] : undefined;
  if (typeof value !== 'string')
    throw new AgentError('redis', `${subjectOf(connection.target)}CONFIG GET ${directive} gave no value`);
  return value;
}

/** The server's own wall time, milliseconds. */
export async function readServerTime(connection: RedisConnection): Promise<number> {
  const reply = await connection.call('TIME');
  if (!Array.isArray(reply))
    throw new AgentError('redis', `${subjectOf(connection.target)}TIME gave no time`);
  return Number(reply[0]) * 1000 + Math.floor(Number(reply[1]) / 1000);
}
