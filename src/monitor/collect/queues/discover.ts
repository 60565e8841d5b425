import type { QueueRef } from '../../../domain/queue.ts';
import { AgentError } from '../../../domain/errors.ts';
import type { RedisConnection, Reply } from '../../../redis/connection/connect.ts';
import type { Command } from '../parts/collector.ts';
import { listOf, numberOf, textOf } from '../parts/numbers.ts';

/** Buckets that one SCAN looks at: some hundred microseconds. */
const each = 250;
/** Of one search; what is more is no set of queues but a pattern of keys that looks like one. */
const mostCandidates = 5000;
const longestName = 300;
const probesAtOnce = 40;

/** What is walked through: queues of Bull by two keys that each has, the others by their types. */
const walks: readonly { kind: 'bull' | 'list' | 'zset' | 'stream'; filter: string[] }[] = [
  { kind: 'bull', filter: ['MATCH', '*:[im]*[da]'] },
  { kind: 'list', filter: ['TYPE', 'list'] },
  { kind: 'zset', filter: ['TYPE', 'zset'] },
  { kind: 'stream', filter: ['TYPE', 'stream'] },
];
/** A list or sorted set is a queue if it is called one. */
const queueLike = /(?:^|[^a-z])(?:queues?|jobs?|tasks?|outbox|celery)(?:$|[^a-z])/i;
const bullParts =
  /:(?:wait|active|paused|delayed|prioritized|priority|failed|completed|waiting-children|stalled|events|repeat|marker|limiter|pc)$/;

/** Looks for queues little by little: a bounded piece each time it is asked. */
export interface QueueSearch {
  /** Sends for at most about `budget` milliseconds. Resolves with all that was found once it has been everywhere. */
  step(connection: RedisConnection, budget: number): Promise<{ sent: number; found: QueueRef[] | undefined }>;
}

export function searchQueues(databases: readonly number[], monotonic: () => number): QueueSearch {
  const steps = databases.flatMap((db) => walks.map((walk) => ({ db, ...walk })));
  const candidates = steps.map(() => new Set<string>());
  let at = 0;
  let cursor = '0';

  return {
    async step(connection, budget) {
      const start = monotonic();
      let sent = 0;
      do {
        const walk = steps[at];
        if (walk === undefined) break;
        const [reply] = await ask(connection, walk.db, [['SCAN', cursor, ...walk.filter, 'COUNT', each]]);
        sent += walk.db === 0 ? 1 : 3;
        if (reply instanceof AgentError) throw reply;
        const [next, names] = listOf(reply);
        for (const name of listOf(names).map(textOf)) {
          const set = candidates[at];
          if (set !== undefined && set.size < mostCandidates && isCandidate(walk.kind, name))
            set.add(walk.kind === 'bull' ? name.replace(/:(?:id|meta)$/, '') : name);
        }
        cursor = textOf(next);
        if (cursor === '0' || cursor === '') {
          cursor = '0';
          at += 1;
        }
      } while (monotonic() - start < budget);
      if (at < steps.length) return { sent, found: undefined };
      const found: QueueRef[] = [];
      for (const [index, { db, kind }] of steps.entries()) {
        const names = [...(candidates[index] ?? [])].filter(
          (name) => kind === 'bull' || !isPartOf(name, found, db),
        );
        for (let from = 0; from < names.length; from += probesAtOnce) {
          const some = names.slice(from, from + probesAtOnce);
          const commands = some.map((name) => probes(kind, name));
          const replies = await ask(connection, db, commands.flat());
          sent += commands.flat().length;
          let place = 0;
          for (const [number, name] of some.entries()) {
            const own = replies.slice(place, (place += commands[number]?.length ?? 0));
            found.push(...judge(kind, name, db, own));
          }
        }
      }
      return { sent, found };
    },
  };
}

async function ask(
  connection: RedisConnection,
  db: number,
  commands: Command[],
): Promise<(Reply | AgentError)[]> {
  if (db === 0) return connection.pipeline(commands);
  const replies = await connection.pipeline([['SELECT', db], ...commands, ['SELECT', 0]]);
  const [chosen] = replies;
  if (chosen instanceof AgentError) throw chosen;
  return replies.slice(1, -1);
}

function isCandidate(kind: string, name: string): boolean {
  // What is no text of UTF-8 could not be asked for under this name.
  if (name.length > longestName || name.includes('�')) return false;
  if (kind === 'bull') return /^.+:.+:(?:id|meta)$/s.test(name);
  if (bullParts.test(name) && kind !== 'stream') return false;
  return kind === 'stream' || queueLike.test(name);
}

const isPartOf = (name: string, found: readonly QueueRef[], db: number): boolean =>
  found.some(
    (queue) => queue.db === db && queue.prefix !== '' && name.startsWith(`${queue.prefix}:${queue.name}:`),
  );

const signs = ['wait', 'active', 'paused', 'delayed', 'prioritized', 'completed', 'failed', 'stalled-check'];

function probes(kind: string, name: string): Command[] {
  if (kind === 'stream') return [['XINFO', 'GROUPS', name]];
  if (kind !== 'bull') return [];
  return [
    ['HGET', `${name}:meta`, 'opts.maxLenEvents'],
    ['HGET', `${name}:meta`, 'version'],
    ['GET', `${name}:id`],
    ...signs.map((sign) => ['EXISTS', `${name}:${sign}`]),
  ];
}

function judge(kind: string, name: string, db: number, replies: readonly (Reply | AgentError)[]): QueueRef[] {
  const plain = { db, prefix: '', name, group: '', guessed: false };
  if (kind === 'list' || kind === 'zset') return [{ ...plain, kind, guessed: true }];
  const answers = replies.map((reply) => (reply instanceof AgentError ? null : reply));
  if (kind === 'stream')
    return listOf(answers[0]).flatMap((group): QueueRef[] => {
      const fields = listOf(group).map(textOf);
      const own = fields[fields.indexOf('name') + 1];
      return own === undefined ? [] : [{ ...plain, kind, group: own }];
    });
  const isNew = textOf(answers[0]) !== '' || textOf(answers[1]) !== '';
  const isOld = numberOf(answers[2] ?? null) !== undefined && answers.slice(3).some((reply) => reply === 1);
  if (!isNew && !isOld) return [];
  const colon = splitAt(name);
  return [
    {
      ...plain,
      kind: isNew ? 'bullmq' : 'bull',
      prefix: name.slice(0, colon),
      name: name.slice(colon + 1),
    },
  ];
}

/** BullMQ's names hold no colon; a prefix may. */
function splitAt(base: string): number {
  return base.lastIndexOf(':');
}
