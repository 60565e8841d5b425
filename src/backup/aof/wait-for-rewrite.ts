import { stat } from 'node:fs/promises';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { readForeignSync } from '../../lib/files/foreign-file.ts';
import { readAofPlace, type AofPlace } from '../../redis/aof-place.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { readInfo } from '../../redis/server.ts';

export interface WaitOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Longest wait, milliseconds. */
  timeout: number;
  /** Take it although the last rewrite or write has failed. */
  insist: boolean;
  onWait: () => void;
}

const pause = 200;

/**
 * Waits until the files of a server's AOF are what it serves. After `appendonly yes` they are not for a while: there is
 * nothing, or what was there when it was turned off, until a first rewrite has ended; and INFO does not tell that rewrite
 * from another. So one that is under way is waited for, until none is or its base has taken its place. Throws an AgentError:
 * `refused` when the server writes no AOF or cannot write it, `failed` when it takes too long.
 */
export async function waitForAof(
  connection: RedisConnection,
  { clock, signal, timeout, insist, onWait }: WaitOptions,
): Promise<{ info: Info; place: AofPlace }> {
  const instance = connection.target.name;
  const start = clock.monotonic();
  let first: string | undefined;
  for (let looks = 1; ; looks++) {
    const info = await readInfo(connection);
    const place = await readAofPlace(connection, info);
    if (!place.wanted && !place.running) throw off(instance);
    const base = await baseOf(place);
    if (looks === 1) first = base;
    const busy = place.rewriting || !place.running || infoInteger(info, 'loading') === 1;
    if (!busy && !insist) requireWritten(instance, info);
    if (!busy || (place.running && base !== undefined && base !== first)) return { info, place };
    if (clock.monotonic() - start > timeout)
      throw new AgentError(
        'failed',
        `instance ${instance}: its AOF is being rewritten for more than ${formatDuration(timeout)}`,
        { reason: 'timeout', hint: 'see the server’s log, or raise backup.snapshot_timeout' },
      );
    onWait();
    await clock.sleep(pause, signal);
  }
}

/** What changes when a rewrite has ended: the base that the manifest names, or the only file. */
async function baseOf({ folder, file }: AofPlace): Promise<string | undefined> {
  if (folder === undefined) {
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    return found && String(found.ino);
  }
  const text = readManifest(file);
  return text === undefined ? undefined : (/^.* type b.*$/m.exec(text)?.[0] ?? '');
}

/** Read by whoever waits, again and again: what is in its way is told by whoever opens the set. */
function readManifest(file: string): string | undefined {
  try {
    return readForeignSync(file, manifestLimit);
  } catch {
    return undefined;
  }
}

const manifestLimit = 1024 * 1024;

function requireWritten(instance: string, info: Info): void {
  const failed =
    info.get('aof_last_write_status') === 'err'
      ? 'write to its AOF'
      : info.get('aof_last_bgrewrite_status') === 'err'
        ? 'rewrite its AOF the last time'
        : undefined;
  if (failed === undefined) return;
  throw new AgentError(
    'refused',
    `instance ${instance}: the server could not ${failed}: its files may be older than its data`,
    {
      reason: 'aof-failed',
      hint: 'see its log, put that right and run BGREWRITEAOF; or insist with --skip-preflight',
    },
  );
}

function off(instance: string): AgentError {
  return new AgentError('refused', `instance ${instance}: the server writes no AOF (appendonly no)`, {
    reason: 'aof-off',
    hint: 'take a snapshot: redis-agent backup; or turn the AOF on: CONFIG SET appendonly yes, then CONFIG REWRITE',
  });
}
