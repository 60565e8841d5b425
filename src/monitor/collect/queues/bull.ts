import type { QueueRef } from '../../../domain/queue.ts';
import type { Reply } from '../../../redis/connection/connect.ts';
import { listOf, numberOf, textOf } from '../parts/numbers.ts';
import type { Command, QueueMemory } from '../parts/collector.ts';
import { nothing, type Asked, type QueueReader } from './raw.ts';

/** Scores of delayed jobs are milliseconds × 4096 and a counter. */
const delayedScale = 4096;
/** A job that is promoted this late is not late yet. */
const grace = 5000;
/** Of the active jobs the oldest few tell whether their worker lives. */
const looked = 3;

export const bullKey = ({ prefix, name }: QueueRef, part: string): string => `${prefix}:${name}:${part}`;

/** The oldest of the jobs that are worked on. */
export const activeCommand = (ref: QueueRef): Command => ['LRANGE', bullKey(ref, 'active'), -looked, -1];

export const activeIdsIn = (reply: Reply): string[] => listOf(reply).map(textOf);

/**
 * What is asked, by name. What is empty mostly is asked about in detail only when something was there the last time:
 * each command is a fraction of a microsecond of the server's, and there are many queues.
 */
function questions(
  ref: QueueRef,
  memory: QueueMemory | undefined,
  { now, detail }: Asked,
): Record<string, Command> {
  const key = (part: string): string => bullKey(ref, part);
  const before = memory?.reading;
  return {
    wait: ['LLEN', key('wait')],
    paused: ['LLEN', key('paused')],
    active: ['LLEN', key('active')],
    delayed: ['ZCARD', key('delayed')],
    failed: ['ZCARD', key('failed')],
    completed: ['ZCARD', key('completed')],
    ...(ref.kind === 'bullmq' && {
      prioritized: ['ZCARD', key('prioritized')],
      children: ['ZCARD', key('waiting-children')],
    }),
    next: ['LRANGE', key('wait'), -2, -1],
    working: activeCommand(ref),
    state: ref.kind === 'bull' ? ['EXISTS', key('meta-paused')] : ['HGET', key('meta'), 'paused'],
    added: ['GET', key('id')],
    lastCompleted: ['ZRANGE', key('completed'), -1, -1, 'WITHSCORES'],
    lastFailed: ['ZRANGE', key('failed'), -1, -1, 'WITHSCORES'],
    ...(memory !== undefined && {
      newCompleted: ['ZCOUNT', key('completed'), `(${memory.lastCompleted}`, '+inf'],
    }),
    ...(memory !== undefined && { newFailed: ['ZCOUNT', key('failed'), `(${memory.lastFailed}`, '+inf'] }),
    ...(before?.delayed !== 0 && {
      overdue: ['ZCOUNT', key('delayed'), '-inf', (now - grace) * delayedScale],
      firstDelayed: ['ZRANGE', key('delayed'), 0, 0, 'WITHSCORES'],
    }),
    ...(before?.prioritized !== 0 && { prior: ['ZRANGE', key('prioritized'), 0, 0] }),
    // A limit matters where nothing moves.
    ...(before?.idleSince !== null && { limiter: ['PTTL', key('limiter')] }),
    ...((detail || ref.settings?.keep !== undefined) && {
      oldestCompleted: ['ZRANGE', key('completed'), 0, 0, 'WITHSCORES'],
      oldestFailed: ['ZRANGE', key('failed'), 0, 0, 'WITHSCORES'],
    }),
  };
}

/** Bull and BullMQ, which differ in how they pause and where jobs with a priority wait. */
export const bullReader: QueueReader = {
  commands: (ref, memory, asked) => Object.values(questions(ref, memory, asked)),
  read(replies, ref, memory, asked) {
    const names = Object.keys(questions(ref, memory, asked));
    const answers = new Map(names.map((name, at) => [name, replies[at] ?? null]));
    const of = (name: string): Reply => answers.get(name) ?? null;
    const count = (name: string): number => numberOf(of(name)) ?? 0;
    if (['wait', 'active', 'delayed', 'completed'].some((name) => numberOf(of(name)) === undefined))
      return undefined;
    const active = activeIdsIn(of('working'));
    // Older BullMQ puts markers among the ids, which are no jobs.
    const next = listOf(of('next'))
      .map(textOf)
      .filter((id) => !id.startsWith('0:'))
      .at(-1);
    const prior = textOf(listOf(of('prior'))[0]);
    const overdue = count('overdue');
    const first = scoreOf(of('firstDelayed'));
    return {
      ...nothing,
      waiting: count('wait') + count('paused'),
      active: count('active'),
      delayed: count('delayed'),
      overdue,
      prioritized: count('prioritized'),
      children: count('children'),
      failed: count('failed'),
      completed: count('completed'),
      paused: textOf(of('state')).startsWith('1'),
      limited: count('limiter') > 0,
      overdueSince: overdue > 0 && first !== undefined ? first / delayedScale : null,
      nextIds: [next, prior].filter((id): id is string => id !== undefined && id !== ''),
      activeIds: active.toReversed(),
      signature: [next, prior, active.join(','), count('active')].join('|'),
      added: numberOf(of('added')) ?? null,
      newCompleted: count('newCompleted'),
      newFailed: count('newFailed'),
      lastCompleted: scoreOf(of('lastCompleted')) ?? memory?.lastCompleted ?? 0,
      lastFailed: scoreOf(of('lastFailed')) ?? memory?.lastFailed ?? 0,
      oldestCompleted: scoreOf(of('oldestCompleted')) ?? null,
      oldestFailed: scoreOf(of('oldestFailed')) ?? null,
    };
  },
};

function scoreOf(reply: Reply): number | undefined {
  const score = listOf(reply)[1];
  return score === undefined ? undefined : numberOf(score);
}
