import { AgentError } from '../domain/errors.ts';
import type { QueueRef } from '../domain/queue.ts';
import type { RedisConnection, Reply } from '../redis/connection/connect.ts';
import { bullKey } from './collect/queues/bull.ts';
import { isName } from './collect/queues/job-facts.ts';
import { listOf, numberOf, textOf } from './collect/parts/numbers.ts';
import { maskReason, firstFrame } from './mask-reason.ts';

/** Failures that are alike: what they say, with every value masked. */
export interface FailureGroup {
  reason: string;
  /** Where it was thrown: the first line of the stack. */
  frame: string | null;
  /** What the jobs are called. */
  names: string[];
  count: number;
  /** Milliseconds since the epoch. */
  first: number;
  last: number;
  /** Of the newest one. */
  id: string;
  attempts: number | null;
}

/** Jobs whose failure is read at once: a stack has some kilobytes. */
const batch = 50;
const mostNames = 5;

/** The newest failures of a queue, in groups; the largest first. */
export async function readFailures(
  connection: RedisConnection,
  ref: QueueRef,
  limit: number,
): Promise<{ groups: FailureGroup[]; read: number }> {
  const groups = new Map<string, FailureGroup>();
  const [ids] = await inDatabase(connection, ref.db, [
    ['ZRANGE', bullKey(ref, 'failed'), -limit, -1, 'WITHSCORES'],
  ]);
  const pairs = listOf(ids).map(textOf);
  const jobs = pairs
    .flatMap((id, at) => (at % 2 === 0 ? [{ id, at: Number(pairs[at + 1]) }] : []))
    .toReversed();
  for (let from = 0; from < jobs.length; from += batch) {
    const some = jobs.slice(from, from + batch);
    const replies = await inDatabase(
      connection,
      ref.db,
      some.map(({ id }) => [
        'HMGET',
        bullKey(ref, id),
        'failedReason',
        'stacktrace',
        'name',
        'atm',
        'attemptsMade',
      ]),
    );
    for (const [index, job] of some.entries()) addFailure(groups, job, listOf(replies[index]).map(textOf));
  }
  return {
    groups: [...groups.values()].toSorted((a, b) => b.count - a.count || b.last - a.last),
    read: jobs.length,
  };
}

function addFailure(
  groups: Map<string, FailureGroup>,
  { id, at }: { id: string; at: number },
  [text = '', stack = '', name = '', made = '', madeBefore = '']: string[],
): void {
  const reason = maskReason(text);
  const frame = firstFrame(stack);
  const key = `${reason}\0${frame ?? ''}`;
  const known = groups.get(key);
  const attempts = numberOf(made === '' ? madeBefore : made) ?? null;
  const called = isName(name) ? [name] : [];
  if (known === undefined) {
    groups.set(key, { reason, frame, names: called, count: 1, first: at, last: at, id, attempts });
    return;
  }
  known.count += 1;
  known.first = Math.min(known.first, at);
  known.names = [...new Set([...known.names, ...called])].slice(0, mostNames);
}

/** Jobs of each kind whose size is asked. */
const sampled = 6;
/**
 * Fields of a job that are weighed. Servers look at five of a hash by chance when they are not told, and one of a job's is most
 * of it; a job has hardly more than twenty, and of a hash that is none no more are looked at.
 */
const fieldsOfJob = 50;

/** What completed and failed jobs hold, by the size of a few; null where that cannot be asked. */
export async function readKept(
  connection: RedisConnection,
  ref: QueueRef,
  counts: { completed: number; failed: number },
): Promise<{ completed: number | null; failed: number | null }> {
  if (ref.kind !== 'bull' && ref.kind !== 'bullmq') return { completed: null, failed: null };
  const of = async (set: 'completed' | 'failed'): Promise<number | null> => {
    if (counts[set] === 0) return 0;
    try {
      const [oldest, newest] = await inDatabase(connection, ref.db, [
        ['ZRANGE', bullKey(ref, set), 0, sampled / 2 - 1],
        ['ZRANGE', bullKey(ref, set), -sampled / 2, -1],
      ]);
      const ids = [...new Set([...listOf(oldest), ...listOf(newest)].map(textOf))];
      const sizes = await inDatabase(
        connection,
        ref.db,
        ids.map((id) => ['MEMORY', 'USAGE', bullKey(ref, id), 'SAMPLES', fieldsOfJob]),
      );
      const known = sizes.map((size) => numberOf(size)).filter((size) => size !== undefined);
      if (known.length === 0) return null;
      return Math.round((known.reduce((sum, size) => sum + size, 0) / known.length) * counts[set]);
    } catch (error) {
      if (error instanceof AgentError && error.reason !== 'closed') return null;
      throw error;
    }
  };
  return { completed: await of('completed'), failed: await of('failed') };
}

/** Throws the first error. */
async function inDatabase(
  connection: RedisConnection,
  db: number,
  commands: (string | number)[][],
): Promise<Reply[]> {
  const around = db === 0 ? commands : [['SELECT', db], ...commands, ['SELECT', 0]];
  const replies = await connection.pipeline(around);
  const plain = replies.map((reply) => {
    if (reply instanceof AgentError) throw reply;
    return reply;
  });
  return db === 0 ? plain : plain.slice(1, -1);
}
