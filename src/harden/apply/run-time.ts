import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import { atLeastVersion, type EngineVersion } from '../../formats/conf/engine.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { readInfo } from '../../redis/server.ts';

export interface Setting {
  directive: string;
  value: string;
}

export interface SetContext {
  connection: RedisConnection;
  engine: EngineVersion;
  clock: Clock;
  signal: AbortSignal;
  onWait?: ((phase: string) => void) | undefined;
}

/**
 * Makes the server take values, all or none: from 7.0 by one command, before that one by one with those that were taken put
 * back (`inverse` has the values of before). The AOF comes last, and is waited for: until its first rewrite has ended a
 * crash would lose what the file is to hold. Before it ends all of it is saved, unless it was (`saved`).
 */
export async function setAtRunTime(
  context: SetContext,
  settings: readonly Setting[],
  inverse: readonly Setting[],
  { saved = false } = {},
): Promise<void> {
  const plain = settings.filter(({ directive }) => directive !== 'appendonly');
  const aof = settings.find(({ directive }) => directive === 'appendonly');
  await setAll(context, plain, inverse);
  if (aof?.value === 'yes') await turnAofOn(context);
  if (aof?.value === 'no' && (await isAofOn(context))) {
    if (!saved) await saveBeforeAofEnds(context);
    await context.connection.call('CONFIG', 'SET', 'appendonly', 'no');
  }
}

async function setAll(
  { connection, engine }: SetContext,
  settings: readonly Setting[],
  inverse: readonly Setting[],
): Promise<void> {
  if (settings.length === 0) return;
  if (engine.engine === 'valkey' || atLeastVersion(engine.version, '7.0')) {
    await connection.call('CONFIG', 'SET', ...settings.flatMap(({ directive, value }) => [directive, value]));
    return;
  }
  const done: string[] = [];
  try {
    for (const { directive, value } of settings) {
      await connection.call('CONFIG', 'SET', directive, value);
      done.push(directive);
    }
  } catch (error) {
    for (const directive of done.toReversed()) {
      const before = inverse.find((each) => each.directive === directive);
      if (before !== undefined) await connection.call('CONFIG', 'SET', directive, before.value);
    }
    throw error;
  }
}

async function turnAofOn(context: SetContext): Promise<void> {
  const { connection } = context;
  await connection.call('CONFIG', 'SET', 'appendonly', 'yes');
  await until(context, 'writing the append only file', (info) => {
    if (info('aof_enabled') !== '1') throw notWritten('the server has turned it off again');
    if (info('aof_rewrite_in_progress') === '1' || info('aof_rewrite_scheduled') === '1') return false;
    if (info('aof_last_bgrewrite_status') !== 'ok') throw notWritten('its first rewrite failed');
    if (info('aof_last_write_status') !== 'ok') throw notWritten('it cannot be written to');
    return true;
  });
}

/** Is it written? Then it holds writes that no snapshot may have. */
export async function isAofOn({ connection }: Pick<SetContext, 'connection'>): Promise<boolean> {
  return (await readInfo(connection, 'persistence')).get('aof_enabled') === '1';
}

/** A snapshot of all that the append only file holds: until it is there, that is all that has the newest writes. */
export async function saveBeforeAofEnds(context: SetContext): Promise<void> {
  const { connection } = context;
  const before = (await readInfo(connection, 'persistence')).get('rdb_last_save_time');
  await connection.call('BGSAVE', 'SCHEDULE');
  const started = context.clock.monotonic();
  await until(context, 'saving before the append only file ends', (info) => {
    if (info('rdb_bgsave_in_progress') === '1' || info('aof_rewrite_in_progress') === '1') return false;
    if (info('rdb_last_bgsave_status') !== 'ok')
      throw new AgentError('failed', 'the snapshot that comes before the append only file ends has failed', {
        reason: 'bgsave',
        hint: 'do not restart the server now: make room on its disk, or see its log for another reason, then run the same command again',
      });
    // Whole seconds: one that ended in the same second as the last shows by that much time having gone by.
    return info('rdb_last_save_time') !== before || context.clock.monotonic() - started > 2000;
  });
}

async function until(
  { connection, clock, signal, onWait }: SetContext,
  phase: string,
  isDone: (field: (name: string) => string | undefined) => boolean,
): Promise<void> {
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
    const info = await readInfo(connection, 'persistence');
    if (isDone((name) => info.get(name))) return;
    onWait?.(phase);
    await clock.sleep(pause, signal);
  }
}

function notWritten(why: string): AgentError {
  return new AgentError('failed', `the append only file was not begun: ${why}`, {
    reason: 'aof',
    hint: 'see the server’s log, and the room on its disk',
  });
}
