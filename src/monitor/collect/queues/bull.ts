import type { QueueRef } from '../../../domain/queue.ts';
import type { Reply } from '../../../redis/connect.ts';
import { listOf, numberOf, textOf } from '../parts/numbers.ts';
import { nothing, type QueueReader } from './raw.ts';

/** Scores of delayed jobs are milliseconds × 4096 and a counter. */
const delayedScale = 4096;
/** A job that is promoted this late is not late yet. */
const grace = 5000;
/** Of the active jobs the oldest few tell whether their worker lives. */
const looked = 5;

export const bullKey = ({ prefix, name }: QueueRef, part: string): string => `${prefix}:${name}:${part}`;

/** Bull and BullMQ, which differ in how they pause and where jobs with a priority wait. */
export const bullReader: QueueReader = {
  commands(ref, memory, { now }) {
    const key = (part: string): string => bullKey(ref, part);
    return [
      ['LLEN', key('wait')],
      ['LLEN', key('paused')],
      ['LLEN', key('active')],
      ['ZCARD', key('delayed')],
      ['ZCOUNT', key('delayed'), '-inf', (now - grace) * delayedScale],
      ['ZCARD', key('prioritized')],
      ['ZCARD', key('waiting-children')],
      ['ZCARD', key('failed')],
      ['ZCARD', key('completed')],
      ['LRANGE', key('wait'), -2, -1],
      ['LRANGE', key('active'), -looked, -1],
      ['ZRANGE', key('delayed'), 0, 0, 'WITHSCORES'],
      ['ZRANGE', key('prioritized'), 0, 0],
      ref.kind === 'bull' ? ['EXISTS', key('meta-paused')] : ['HGET', key('meta'), 'paused'],
      ['PTTL', key('limiter')],
      ['GET', key('id')],
      ['ZRANGE', key('completed'), -1, -1, 'WITHSCORES'],
      ['ZRANGE', key('failed'), -1, -1, 'WITHSCORES'],
      ['ZCOUNT', key('completed'), `(${memory?.lastCompleted ?? now}`, '+inf'],
      ['ZCOUNT', key('failed'), `(${memory?.lastFailed ?? now}`, '+inf'],
      ['ZRANGE', key('completed'), 0, 0, 'WITHSCORES'],
      ['ZRANGE', key('failed'), 0, 0, 'WITHSCORES'],
    ];
  },
  read(replies, _ref, memory) {
    const count = (at: number): number => numberOf(replies[at] ?? null) ?? 0;
    if (replies.slice(0, 9).some((reply) => numberOf(reply) === undefined)) return undefined;
    const active = listOf(replies[10]).map(textOf);
    // Older BullMQ puts markers among the ids, which are no jobs.
    const next = listOf(replies[9])
      .map(textOf)
      .filter((id) => !id.startsWith('0:'))
      .at(-1);
    const prior = textOf(listOf(replies[12])[0]);
    const overdue = count(4);
    const first = scoreOf(replies[11]);
    const [lastCompleted, lastFailed] = [scoreOf(replies[16]), scoreOf(replies[17])];
    return {
      ...nothing,
      waiting: count(0) + count(1),
      active: count(2),
      delayed: count(3),
      overdue,
      prioritized: count(5),
      children: count(6),
      failed: count(7),
      completed: count(8),
      paused: textOf(replies[13]).startsWith('1'),
      limited: count(14) > 0,
      overdueSince: overdue > 0 && first !== undefined ? first / delayedScale : null,
      nextIds: [next, prior].filter((id): id is string => id !== undefined && id !== ''),
      activeIds: active.toReversed(),
      signature: [next, prior, active.join(','), count(2)].join('|'),
      added: numberOf(replies[15] ?? null) ?? null,
      newCompleted: memory === undefined ? 0 : count(18),
      newFailed: memory === undefined ? 0 : count(19),
      lastCompleted: lastCompleted ?? memory?.lastCompleted ?? 0,
      lastFailed: lastFailed ?? memory?.lastFailed ?? 0,
      oldestCompleted: scoreOf(replies[20]) ?? null,
      oldestFailed: scoreOf(replies[21]) ?? null,
    };
  },
};

function scoreOf(reply: Reply | undefined): number | undefined {
  const score = listOf(reply)[1];
  return score === undefined ? undefined : numberOf(score);
}
