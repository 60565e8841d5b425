import type { Reply } from '../../../redis/connection/connect.ts';
import { listOf, numberOf, textOf } from '../parts/numbers.ts';
import { nothing, type QueueReader } from './raw.ts';

/** A consumer group: what it has not been given yet waits, what it was given and has not acknowledged is active. */
export const streamReader: QueueReader = {
  commands: ({ name, group }) => [
    ['XLEN', name],
    ['XINFO', 'GROUPS', name],
    ['XPENDING', name, group, '-', '+', 1],
  ],
  read(replies, ref, memory, { now }) {
    const length = numberOf(replies[0] ?? null);
    const own = listOf(replies[1])
      .map(pairs)
      .find((group) => group.get('name') === ref.group);
    if (length === undefined || own === undefined) return undefined;
    const pending = Number(own.get('pending') ?? 0);
    const delivered = own.get('last-delivered-id') ?? '0-0';
    const lag = own.get('lag');
    // Before 7.0 nobody counts what lies behind the last delivered one: nothing was, or all of it is unknown.
    const waiting = lag !== undefined && lag !== '' ? Number(lag) : delivered === '0-0' ? length : 0;
    const [id, , idle] = listOf(listOf(replies[2])[0]);
    const oldest = Number(textOf(id).split('-')[0]);
    const signature = `${delivered}|${textOf(id)}|${pending}`;
    const hangs = pending > 0 && (numberOf(idle ?? null) ?? 0) > 60_000;
    return {
      ...nothing,
      waiting,
      active: pending,
      overdue: 0,
      signature,
      moved: memory !== undefined && signature !== memory.signature,
      activeIds: hangs ? [textOf(id)] : [],
      dueSince: hangs && Number.isFinite(oldest) ? Math.min(now, now - (numberOf(idle ?? null) ?? 0)) : null,
      workers: Number(own.get('consumers') ?? 0),
    };
  },
};

function pairs(reply: Reply): Map<string, string> {
  const list = listOf(reply);
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < list.length; at += 2) found.set(textOf(list[at]), textOf(list[at + 1]));
  return found;
}
