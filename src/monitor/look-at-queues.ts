import type { Clock } from '../domain/clock.ts';
import { AgentError } from '../domain/errors.ts';
import { queueLabel, type QueueReading, type QueueRef } from '../domain/queue.ts';
import type { QueueSettings } from '../domain/settings/queues.ts';
import type { RedisConnection, Reply } from '../redis/connection/connect.ts';
import { infoCollector } from './collect/info.ts';
import type { Collector, Draft, Known } from './collect/parts/collector.ts';
import { jobsCollector, whyUnread, mostQueues, queuesCollector, finishQueues } from './collect/queues.ts';
import { chooseQueues } from './collect/queues/choose.ts';
import { searchQueues } from './collect/queues/discover.ts';
import { workersIn, type Worker } from './collect/queues/workers.ts';
import { workersCollector } from './collect/workers.ts';
import { nothingKnown } from './nothing-known.ts';

export interface QueuesSeen {
  queues: QueueReading[];
  workers: Worker[];
  /** All that a search found, where there was one. */
  found: QueueRef[] | undefined;
  /** Those that cannot be read, and why. */
  unread: { label: string; why: string }[];
  /** How many more there are than are watched. */
  left: number;
  /** What this server does not let us ask, and therefore nobody knows: in its own words. */
  blind: { what: 'search' | 'workers'; why: string }[];
  /** Wall time of the reading, milliseconds. */
  at: number;
}

export interface LookOptions {
  instance: string;
  settings: { queues: readonly QueueSettings[]; find_queues: number | null };
  /** What an earlier search found; undefined: look for them now. */
  found: readonly QueueRef[] | undefined;
  clock: Clock;
  signal: AbortSignal;
  /** Hears that it is searching. */
  onSearch(this: void): void;
}

/** Milliseconds of searching, and of letting others have their turn. */
const turn = 20;

/** Reads all queues of a server once, as they are now. */
export async function lookAtQueues(
  connection: RedisConnection,
  { instance, settings, found, clock, signal, onSearch }: LookOptions,
): Promise<QueuesSeen> {
  const at = clock.now();
  const draft: Draft = { askedAt: at, values: {}, texts: {}, known: {} };
  let known: Known = nothingKnown;
  const ask = async (collector: Collector): Promise<readonly Reply[]> => {
    const replies = await connection.pipeline(collector.commands(known));
    const refused = replies.find(
      (reply) => reply instanceof AgentError && collector.answers?.test(reply.message) !== true,
    );
    if (refused instanceof AgentError) throw refused;
    const texts = replies.map((reply) => (reply instanceof AgentError ? reply.message : reply));
    collector.read(texts, draft, known);
    known = { ...known, ...draft.known };
    return texts;
  };
  await ask(infoCollector);
  const blind: QueuesSeen['blind'] = [];
  /** Goes on without what a provider refuses; a connection that broke is no refusal. */
  const refusedAs = (what: 'search' | 'workers', error: unknown): void => {
    const refused = error instanceof AgentError && error.reason !== 'closed' && error.reason !== 'timeout';
    if (!refused) throw error;
    blind.push({ what, why: error.message });
  };
  let fresh: QueueRef[] | undefined;
  if (found === undefined && settings.find_queues !== null) {
    onSearch();
    const search = searchQueues(known.databases, () => clock.monotonic());
    try {
      while (fresh === undefined) {
        signal.throwIfAborted();
        ({ found: fresh } = await search.step(connection, turn));
        if (fresh === undefined) await clock.sleep(turn, signal);
      }
    } catch (error) {
      signal.throwIfAborted();
      refusedAs('search', error);
    }
  }
  const all = chooseQueues(instance, settings.queues, fresh ?? found ?? [], Infinity);
  const refs = all.slice(0, mostQueues);
  known = { ...known, queues: { ...known.queues, refs, now: at, detail: true } };
  let workers: Worker[] = [];
  if (workersCollector.applies?.(known) === true) {
    try {
      workers = workersIn(String((await ask(workersCollector))[0] ?? ''));
    } catch (error) {
      refusedAs('workers', error);
    }
  }
  if (refs.length > 0) await ask(queuesCollector);
  const more = jobsCollector(draft);
  if (more !== undefined) await ask(more);
  if (draft.queues === undefined) finishQueues(draft, known, new Map());
  // A guess of a list that is something else by now is nothing to speak of.
  const unread = (draft.unread ?? [])
    .filter(({ ref, reason }) => reason === 'keys' || !ref.guessed)
    .map(({ ref, reason }) => ({ label: queueLabel(ref), why: whyUnread(ref, reason) }));
  return {
    queues: draft.queues ?? [],
    workers,
    found: fresh,
    unread,
    left: all.length - refs.length,
    blind,
    at,
  };
}
