import type { QueueKind, QueueRef } from '../../domain/queue.ts';
import type { Blind } from '../../domain/sample.ts';
import { queueLabel } from '../../domain/queue.ts';
import type { Reply } from '../../redis/connection/connect.ts';
import type { Collector, Command, Draft, Known, QueueMemory, Unread } from './parts/collector.ts';
import { listOf, numberOf, shortened, textOf } from './parts/numbers.ts';
import { activeCommand, activeIdsIn, bullKey, bullReader } from './queues/bull.ts';
import { isName } from './queues/job-facts.ts';
import { listReader, zsetReader } from './queues/plain.ts';
import type { RawQueue } from './parts/raw-queue.ts';
import type { Asked, QueueReader } from './queues/raw.ts';
import { nothingSeen, settle, type JobsSeen } from './queues/settle.ts';
import { streamReader } from './queues/stream.ts';
import { workerName, type WorkerCount } from './queues/workers.ts';

/** More are found, and not watched. */
export const mostQueues = 500;

const hour = 3_600_000;

const readers: Record<QueueKind, QueueReader> = {
  bullmq: bullReader,
  bull: bullReader,
  list: listReader,
  zset: zsetReader,
  stream: streamReader,
};

/** A key of another type, another node's, or one that this user may not read is that queue's matter alone. */
const answers =
  /WRONGTYPE|MOVED|CROSSSLOT|NOGROUP|no such key|DB index|may not use the keys|may not run SELECT|not allowed in cluster/;

/** How long the queues are: a handful of commands each, none of which grows with what lies in them. */
export const queuesCollector: Collector = {
  name: 'queues',
  rights: [
    '+llen',
    '+lindex',
    '+lrange',
    '+zcard',
    '+zcount',
    '+zrange',
    '+hget',
    '+get',
    '+exists',
    '+pttl',
    '+xlen',
    '+xinfo|groups',
    '+xpending',
    '+select',
    // Of the jobs that come next, of the search, and of what ended jobs hold.
    '+hmget',
    '+scan',
    '+memory|usage',
  ],
  every: 0,
  frugal: 1_800_000,
  answers,
  applies: (known) => readable(known).length > 0 && !known.replica && known.mode !== 'sentinel',
  commands: (known) => inDatabases(readable(known), (ref) => commandsOf(ref, known)),
  read(replies, draft, known) {
    const groups = fromDatabases(readable(known), (ref) => commandsOf(ref, known).length, replies);
    draft.rawQueues = groups.flatMap(({ ref, own }) => {
      const memory = known.queues.memory.get(queueLabel(ref));
      const raw = readers[ref.kind].read(own, ref, memory, askedOf(known));
      const reason = own.some(says('may not use the keys'))
        ? 'keys'
        : raw === undefined && own.some(says('WRONGTYPE'))
          ? 'type'
          : undefined;
      if (reason !== undefined) draft.unread = [...(draft.unread ?? []), { ref, reason }];
      return raw === undefined ? [] : [{ ref, raw }];
    });
  },
};

const says =
  (words: string) =>
  (reply: Reply): boolean =>
    typeof reply === 'string' && reply.includes(words);

const readable = ({ queues: { refs, refused, now } }: Known): QueueRef[] =>
  refs.filter((ref) => (refused.get(kindAndLabel(ref))?.until ?? 0) <= now);

const kindAndLabel = (ref: QueueRef): string => `${ref.kind} ${queueLabel(ref)}`;

function commandsOf(ref: QueueRef, known: Known): Command[] {
  return readers[ref.kind].commands(ref, known.queues.memory.get(queueLabel(ref)), askedOf(known));
}

const askedOf = ({ queues }: Known): Asked => ({
  now: queues.now,
  detail: queues.detail,
  content: queues.blindUntil <= queues.now,
});

/** The jobs that come next, and whether those that are worked on have a worker still. */
export function jobsCollector(draft: Draft): Collector | undefined {
  const wanted = (draft.rawQueues ?? []).filter(({ ref, raw }) => jobCommands(ref, raw).length > 0);
  const refs = wanted.map(({ ref }) => ref);
  const rawOf = new Map(wanted.map(({ ref, raw }) => [ref, raw]));
  const commandsFor = (ref: QueueRef): Command[] => jobCommands(ref, rawOf.get(ref));
  if (refs.length === 0) return undefined;
  return {
    name: 'queue-jobs',
    rights: ['+hmget', '+exists', '+select'],
    every: 0,
    frugal: 0,
    answers,
    commands: () => inDatabases(refs, commandsFor),
    read(replies, into, known) {
      const groups = fromDatabases(refs, (ref) => commandsFor(ref).length, replies);
      const seen = new Map(groups.map(({ ref, own }) => [ref, readJobs(rawOf.get(ref), own)]));
      finishQueues(into, known, seen);
    },
  };
}

const jobFields = ['timestamp', 'delay', 'opts', 'name', 'processedOn'];

function jobCommands(ref: QueueRef, raw: RawQueue | undefined): Command[] {
  if (raw === undefined || (ref.kind !== 'bull' && ref.kind !== 'bullmq')) return [];
  return [
    ...raw.nextIds.map((id) => ['HMGET', bullKey(ref, id), ...jobFields]),
    ...raw.activeIds.map((id) => ['EXISTS', bullKey(ref, `${id}:lock`)]),
    ...raw.activeIds.slice(0, 1).map((id) => ['HMGET', bullKey(ref, id), 'processedOn']),
    // Who finishes takes lock and place in one script: without a lock and still there is lost, else it was quick.
    ...(raw.activeIds.length > 0 ? [activeCommand(ref)] : []),
  ];
}

function readJobs(raw: RawQueue | undefined, replies: readonly Reply[]): JobsSeen {
  if (raw === undefined) return nothingSeen;
  const { nextIds, activeIds } = raw;
  const next = nextIds.flatMap((id, index) => {
    const [timestamp, delay, opts, name, processed] = listOf(replies[index]);
    const made = numberOf(timestamp ?? null);
    if (made === undefined) return [];
    // What was delayed has no delay any more when it was promoted; what it was made with still says so.
    const asked = Number(/"delay":(\d{1,13})/.exec(textOf(opts))?.[1] ?? 0);
    const due = Math.max(
      made + Math.max(numberOf(delay ?? null) ?? 0, asked),
      numberOf(processed ?? null) ?? 0,
    );
    const called = textOf(name);
    return [{ id: shortened(id), name: isName(called) ? called : null, due }];
  });
  // Of the oldest alone it is asked since when: the others cannot be older.
  const [begun] = listOf(replies[nextIds.length + activeIds.length]);
  const since = numberOf(begun ?? null) ?? null;
  const still = new Set(activeIdsIn(replies[nextIds.length + activeIds.length + 1] ?? null));
  const active = activeIds.map((id, index) => ({
    id,
    held: numberOf(replies[nextIds.length + index] ?? null) !== 0 || !still.has(id),
    since,
  }));
  return { next, active };
}

/** Makes readings of what was asked, with whatever the jobs told. */
export function finishQueues(draft: Draft, known: Known, jobs: ReadonlyMap<QueueRef, JobsSeen>): void {
  const { now } = known.queues;
  const counts = draft.known.workers ?? known.workers;
  const memory = new Map<string, QueueMemory>();
  draft.queues = (draft.rawQueues ?? []).map(({ ref, raw }) => {
    const label = queueLabel(ref);
    const settled = settle(ref, raw, jobs.get(ref) ?? nothingSeen, {
      memory: known.queues.memory.get(label),
      now,
      workers: workersOf(ref, raw, counts),
    });
    memory.set(label, settled.memory);
    return settled.reading;
  });
  const refused = new Map(known.queues.refused);
  for (const { ref, reason } of draft.unread ?? [])
    refused.set(kindAndLabel(ref), { until: now + hour, reason });
  draft.known.queues = { ...known.queues, memory, refused };
}

function workersOf(
  ref: QueueRef,
  raw: RawQueue,
  counts: ReadonlyMap<string, WorkerCount> | undefined,
): number | null {
  if (ref.kind === 'stream') return raw.workers;
  if (counts === undefined || (ref.kind !== 'bull' && ref.kind !== 'bullmq')) return null;
  // A name of Bull's may hold colons: where its prefix ends is not known then.
  const parts = `${ref.prefix}:${ref.name}`.split(':');
  const splits = parts
    .slice(1)
    .map((_, at) => [parts.slice(0, at + 1).join(':'), parts.slice(at + 1).join(':')]);
  return splits.reduce((sum, [prefix = '', name = '']) => {
    const { named, taking } = counts.get(workerName(prefix, name)) ?? { named: 0, taking: 0 };
    return sum + (ref.kind === 'bull' ? taking : named);
  }, 0);
}

/** The commands of all of them, with a change of database before and after those of another one than the first. */
function inDatabases(refs: readonly QueueRef[], commandsFor: (ref: QueueRef) => Command[]): Command[] {
  return byDatabase(refs).flatMap(({ db, own }) => {
    const commands = own.flatMap(commandsFor);
    return db === 0 ? commands : [['SELECT', db], ...commands, ['SELECT', 0]];
  });
}

/** What belongs to each; of a database that could not be chosen nothing does. */
function fromDatabases(
  refs: readonly QueueRef[],
  countFor: (ref: QueueRef) => number,
  replies: readonly Reply[],
): { ref: QueueRef; own: readonly Reply[] }[] {
  let at = 0;
  return byDatabase(refs).flatMap(({ db, own }) => {
    const chosen = db === 0 || replies[at++] === 'OK';
    const read = own.map((ref) => ({ ref, own: replies.slice(at, (at += countFor(ref))) }));
    if (db !== 0) at += 1;
    return chosen ? read : [];
  });
}

function byDatabase(refs: readonly QueueRef[]): { db: number; own: QueueRef[] }[] {
  const groups = new Map<number, QueueRef[]>();
  for (const ref of refs) groups.set(ref.db, [...(groups.get(ref.db) ?? []), ref]);
  return [...groups].map(([db, own]) => ({ db, own }));
}

/** Queues that are not seen. A guess is nothing to speak of. */
export function unreadQueues({ refs, refused, now }: Known['queues']): Blind[] {
  return refs.flatMap((ref): Blind[] => {
    const { until = 0, reason = 'keys' } = refused.get(kindAndLabel(ref)) ?? {};
    if (ref.guessed || until <= now) return [];
    return [{ collector: `queue ${queueLabel(ref)}`, reason, message: whyUnread(ref, reason) }];
  });
}

/** In words, with what would mend it. */
export function whyUnread(ref: QueueRef, reason: Unread): string {
  if (reason === 'keys') return `its keys may not be read; ${keyRule(ref)}`;
  const { kind, prefix } = ref;
  return prefix === ''
    ? `its key is no ${kind === 'zset' ? 'sorted set' : kind}; correct its kind in monitor.queues`
    : 'one of its keys is of another type than its library makes';
}

/** The rule that lets the agent read it, from 7.0 on. */
function keyRule({ prefix, name }: QueueRef): string {
  return `grant %R~${prefix === '' ? name : `${prefix}:*`}`;
}
