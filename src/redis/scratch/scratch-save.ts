import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { RedisConnection } from '../connection/connect.ts';

/**
 * Has a scratch server write all that it holds. SAVE and no BGSAVE: it serves nobody else, and needs no memory for a
 * fork. What it loaded lies elsewhere: a link to that in its folder is what the new file takes the place of.
 *
 * Rejects with the signal's reason, with what ended the server, or with an AgentError `failed`.
 */
export async function saveScratch(
  connection: RedisConnection,
  {
    folder,
    command,
    clock,
    signal,
    throwIfEnded,
  }: {
    folder: string;
    command: string;
    clock: Clock;
    signal: AbortSignal;
    throwIfEnded: (this: void) => void;
  },
): Promise<string> {
  const file = join(folder, 'dump.rdb');
  let refusal: unknown;
  // It answers nothing while it saves, for longer than a call waits.
  const asked = connection.call(command).catch((error: unknown) => (refusal = error));
  for (;;) {
    signal.throwIfAborted();
    throwIfEnded();
    // Answers come in the order of the calls: this one when the save is over.
    const answered = await connection.call('PING').then(
      () => true,
      () => false,
    );
    if (answered) break;
    await clock.sleep(100, signal);
  }
  await asked;
  const there = await lstat(file).catch(() => undefined);
  if (there?.isFile() === true) return file;
  const why = refusal instanceof AgentError ? refusal.message : 'it said nothing';
  throw new AgentError('failed', `the scratch server cannot write what it holds: ${why}`, {
    reason: 'save',
    hint: 'is there room in state.path?',
    cause: refusal,
  });
}
